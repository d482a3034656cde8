package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The definition page, own edges, classes of work and the reclaim plan on the command line.
func TestMeasuresExplainThemselves(t *testing.T) {
	t.Parallel()
	data, dir := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"licenses.csv": "client_name,product_name,vendor,term,seats_purchased,seats_used,unit_cost,start_date,renewal_date\nAcme,Suite,Microsoft,annual,50,37,22,2024-09-01,2099-09-01\n",
		"tickets.csv":  "ticket_number,client_name,ticket_type,queue,created_at\n1,Acme,Incident,Desk,2026-06-01 08:00\n2,Acme,Oddity,Desk,2026-06-01 09:00\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ok(t, data, "import", file)
	}
	holds := func(out string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%q is not in\n%s", text, out)
			}
		}
	}
	ok(t, data, "thresholds", "set", "dso", "20", "25", "30", "--source", "our bank")
	holds(ok(t, data, "metrics", "dso"), "Days sales outstanding", "receivables / (revenue + tax) * days", "below 20: quick (good)", "own: managed service providers", "our bank")
	holds(ok(t, data, "thresholds", "reset", "dso"), "below 30: quick (good)")
	holds(ok(t, data, "thresholds", "--measure", "reactive_hours_per_endpoint", "--json"), `"up_to": "0.25"`)
	holds(ok(t, data, "work-classes"), "Oddity", "unclassified", "reactive")
	holds(ok(t, data, "work-classes", "set", "ticket_type=Oddity", "proactive"), "proactive", `rule: ticket_type = "oddity" is proactive`)
	holds(ok(t, data, "work-classes", "confirm", "--json"), `"confirmed": true`)
	holds(ok(t, data, "reclaim"), "2099-09-01", "13", "286.00", "locked", "unknown")
	for name, k := range map[string]struct {
		args []string
		code int
		want string
	}{
		"unknown measure":                  {[]string{"metrics", "dsoo"}, 1, `did you mean "dso"`},
		"unknown threshold":                {[]string{"thresholds", "set", "dsoo", "1"}, 1, `did you mean "dso"`},
		"thresholds of an unknown measure": {[]string{"thresholds", "--measure", "dsoo"}, 1, `did you mean "dso"`},
		"no field":                         {[]string{"work-classes", "set", "Oddity", "proactive"}, 2, "FIELD=VALUE"},
		"no class":                         {[]string{"work-classes", "set", "queue=Desk", "fast"}, 1, "is not a class of work"},
		"no day":                           {[]string{"reclaim", "--to", "soon"}, 1, "is not a date"},
	} {
		if code, _, errOut := run(t, data, k.args...); code != k.code || !strings.Contains(errOut, k.want) {
			t.Errorf("%s: exit %d\n%s", name, code, errOut)
		}
	}
}
