package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefinitionsByCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	file := filepath.Join(t.TempDir(), "invoices.csv")
	if err := os.WriteFile(file, []byte("invoice_id,client_name,amount,date,status\n1,Acme,1000,2026-01-15,paid\n2,Bolt,300,2026-01-20,paid\n3,Core,200,2026-01-25,paid\n4,Acme,1100,2026-02-15,paid\n5,Bolt,300,2026-02-20,paid\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ok(t, data, "import", file)
	for _, step := range []struct {
		args string
		code int
		says string
	}{
		{"kpi", 0, "No KPIs"},
		{"segment", 0, "No segments"},
		{"rule", 0, "No rules"},
		{"calendar", 0, "begins in January"},
		{"kpi functions", 0, "yoy(x)"},
		{"kpi preview --formula|growth(revenue, 1)", 0, "-6.7%"}, // 1,400 / 1,500 - 1
		{"kpi add|rise|--formula|growth(revenue, 1)|--owner|Ann", 0, "ratio"},
		{"kpi add|rise|--formula|revenue", 1, "already"},
		{"kpi add|bad|--formula|revenue + hours_worked", 1, "value the hours first"},
		{"kpi change|rise|--description|Month on month", 0, "2"},
		{"kpi show rise", 0, "Month on month"},
		{"kpi list", 0, "growth(revenue, 1)"},
		{"metrics", 0, "growth(revenue, 1)"},
		{"metrics rise", 0, "growth(revenue, 1)"},
		{"query --measures|rise|--by|month", 0, "-6.7%"},
		{"query --measures|revenue|--by|client|--top|1", 0, "others"},
		{"query --measures|revenue|--by|client|--where|revenue > $500", 0, "Acme"},
		{"segment add|Large|--where|revenue > $500", 0, "Large"},
		{"query --measures|revenue|--by|client|--where|segment != \"Large\"", 0, "Core"},
		{"rule add|Falling|--condition|rise < 0|--then|notice", 0, "Falling"},
		{"rule run", 0, "1 hold, 1 began"},
		{"rule run", 0, "1 hold, 0 began"},
		{"rule history", 0, "holds"},
		{"notices", 0, "Falling"},
		{"analyze", 0, "Falling"},
		{"kpi remove rise", 1, `rule "Falling"`},
		{"rule change|Falling|--months|2", 0, "2"},
		{"rule remove Falling", 0, "removed"},
		{"kpi remove rise", 0, "removed"},
		{"kpi show rise", 0, "removed"},
		{"segment remove Large", 0, "removed"},
		{"calendar set --start-month 2", 0, "February"},
		{"query --measures revenue --by fiscal_year", 0, "2026-02-01"},
		{"calendar set --start-month 14", 1, "1 to 12"},
		{"kpi add", 2, "accepts 1 arg"},
	} {
		args := strings.Fields(step.args)
		if strings.Contains(step.args, "|") {
			args = nil
			for i, part := range strings.Split(step.args, "|") {
				if i == 0 {
					args = append(args, strings.Fields(part)...)
				} else {
					args = append(args, part)
				}
			}
		}
		code, out, errOut := run(t, data, args...)
		if code != step.code || !strings.Contains(out+errOut, step.says) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s%s", step.args, code, step.code, step.says, out, errOut)
		}
	}
}
