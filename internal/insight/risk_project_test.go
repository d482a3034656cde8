package insight_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// projectWorld has six finished projects of 20 planned hours, a canceled one, and open ones of
// which each lacks something else. An hour costs 50.
func projectWorld(t testing.TB, finished int) *world {
	x := newWorld(t)
	projects, entries := strings.Builder{}, strings.Builder{}
	projects.WriteString("project_id,project_name,client_name,status,billing_method,budget_hours,budget_amount,start_date,end_date,percent_complete\n")
	entries.WriteString("time_entry_id,staff_name,client_name,project_name,work_date,hours_worked\n")
	id := 0
	work := func(project string, hours ...string) {
		for _, h := range hours {
			id++
			fmt.Fprintf(&entries, "%d,Dana Ortiz,Alpha,%s,2026-06-%02d,%s\n", id, project, 1+id%20, h)
		}
	}
	for i, hours := range []string{"18", "19", "20", "22", "24", "26"}[:finished] {
		fmt.Fprintf(&projects, "F%d,Finished %d,Alpha,Completed,Fixed Fee,20,3000,2026-01-01,2026-02-01,100%%\n", i, i)
		work(fmt.Sprintf("Finished %d", i), hours)
	}
	for _, p := range []struct{ row, name, hours string }{
		{"C,Canceled,Alpha,Cancelled,Fixed Fee,20,3000,2026-06-01,2026-06-30,10%", "Canceled", "1"},
		{"1,Migration,Alpha,In Progress,Fixed Fee,100,10000,2026-06-01,2026-07-15,40%", "Migration", "22,23,15"}, // 60 of 100, 40 % done
		{"2,Office,Alpha,In Progress,Actual Rates,100,10000,2026-06-01,2026-08-20,40%", "Office", "20,20"},
		{"3,No progress,Alpha,Open,Fixed Fee,100,10000,2026-06-01,2026-08-20,", "No progress", "20,10"},
		{"4,No budget,Alpha,Open,,,,2026-06-01,2026-08-20,50%", "No budget", "20,5"},
		{"5,Over,Alpha,Open,Fixed Fee,40,4000,2026-05-01,2026-06-01,", "Over", "20,21"},
		{"6,No hours,Alpha,Open,Fixed Fee,40,4000,2026-06-01,2026-08-20,30%", "No hours", ""},
		{"7,Not begun,Alpha,Planned,Fixed Fee,40,4000,2026-06-20,2026-12-01,0%", "Not begun", ""},
	} {
		projects.WriteString(p.row + "\n")
		if p.hours != "" {
			work(p.name, strings.Split(p.hours, ",")...)
		}
	}
	x.text(t, "projects.csv", projects.String())
	x.text(t, "staff.csv", "staff_name,cost_rate,weekly_hours,hired_on,valid_from\nDana Ortiz,50,40,2025-01-01,2025-01-01\n")
	x.text(t, "time_entries.csv", entries.String()+"9999,Dana Ortiz,Alpha,,2026-06-30,1\n")
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,net_amount,project_name,revenue_category\n1,Alpha,2026-06-30,6000,Office,project\n2,Alpha,2026-06-30,2000,Migration,project\n")
	return x
}

func projectRisks(t testing.TB, x *world) (*insight.ProjectRisks, map[string]insight.ProjectRisk) {
	t.Helper()
	r, err := x.ProjectRisks(t.Context(), northwind, quantity.Day{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]insight.ProjectRisk{}
	for _, p := range r.Projects {
		all[p.Project] = p
	}
	return r, all
}

func TestProjectRisksSayWhatIsKnownAndWhatIsNot(t *testing.T) {
	t.Parallel()
	r, all := projectRisks(t, projectWorld(t, 6))
	if len(all) != 7 || r.Kind != "rules" || r.AsOf.String() != "2026-06-30" || r.History.N != 6 || r.History.Over != 3 || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "canceled projects are left out: 1") }) {
		t.Fatalf("%d projects, history %+v, notes %v", len(all), r.History, r.Notes)
	}
	// 60 of 100 hours for 40 %: 150 in the end, 50 over: 2,500 at 50 an hour, 5,000 at the price
	// of 100; the fee of 10,000 pays for 7,500 of cost. 30 days for 40 % make 75, until August 14.
	m := all["Migration"]
	for name, c := range map[string]struct {
		got  *quantity.Decimal
		want string
	}{
		"burn": {m.Burn, "0.6"}, "gap": {m.Gap, "0.2"}, "estimate": {m.EAC, "150"}, "overrun": {m.OverrunHours, "50"}, "at cost": {m.OverrunCost, "2500"}, "at the price": {m.OverrunPrice, "5000"},
		"profit": {m.ProfitAtEnd, "2500"}, "margin": {m.MarginAtEnd, "0.25"}, "slip": {m.Slip, "30"},
	} {
		if c.got == nil || c.got.String() != c.want {
			t.Errorf("%s of the migration is %v, want %s", name, c.got, c.want)
		}
	}
	if m.Billing != insight.BillingFixed || m.State != insight.RiskAct || m.Expected.String() != "2026-08-14" || m.Overrun == nil || *m.Overrun < 0.9 || m.FinalHours == nil || !strings.Contains(m.Step, "change order") {
		t.Errorf("the migration is %+v", m)
	}
	// The rest at the pace so far costs what it brought: 6,000 for 40 hours.
	o := all["Office"]
	if o.Billing != insight.BillingHourly || o.State == insight.RiskAct || !o.OverrunHours.IsZero() || o.MarginAtEnd.String() != "0.666667" || o.Slip.Sign() > 0 {
		t.Errorf("the office is %+v", o)
	}
	if p := all["No progress"]; p.EAC != nil || p.Gap != nil || p.Slip != nil || p.Burn.String() != "0.3" || p.Overrun == nil || !strings.Contains(p.Why, "no progress is stated") || p.State != insight.RiskUnknown || !strings.Contains(p.Step, "percent_complete") {
		t.Errorf("without progress: %+v", p)
	}
	if p := all["No budget"]; p.Budget != nil || p.Burn != nil || p.Overrun != nil || p.EAC.String() != "50" || p.OverrunHours != nil || p.State != insight.RiskUnknown || p.Billing != insight.BillingUnknown || !strings.Contains(p.Step, "budget_hours") {
		t.Errorf("without a budget: %+v", p)
	}
	if p := all["Over"]; *p.Overrun != 1 || p.State != insight.RiskAct || p.Slip.String() != "29" {
		t.Errorf("over already: %+v", p)
	}
	if p := all["No hours"]; p.Worked != nil || p.Burn != nil || p.EAC != nil || p.Overrun != nil || p.Components[0].State != insight.RiskUnknown || !strings.Contains(p.Components[0].Words, "No hours name the project") {
		t.Errorf("without hours: %+v", p)
	}
	if p := all["Not begun"]; p.Components[0].State != insight.RiskOK || p.Worked == nil || !p.Worked.IsZero() {
		t.Errorf("not begun: %+v", p.Components[0])
	}
	for i, p := range r.Projects {
		for _, c := range p.Components {
			for _, f := range c.Figures {
				if f.Value == nil && f.Reason == "" || len(f.Query.Measures) != 1 || !f.Query.Period.Bounded() {
					t.Errorf("%s: %s has no value and no reason, or leads nowhere: %+v", p.Project, f.Label, f)
				}
			}
		}
		if i > 0 && r.Projects[i-1].State != insight.RiskAct && p.State == insight.RiskAct {
			t.Errorf("%s comes after one that is well", p.Project)
		}
	}
}

func TestFewFinishedProjectsGiveNoProbability(t *testing.T) {
	t.Parallel()
	r, all := projectRisks(t, projectWorld(t, 4))
	m := all["Migration"]
	if r.History.N != 4 || r.History.Typical != nil || !strings.Contains(r.History.Words, "Too few") || m.Overrun != nil || m.FinalHours != nil || m.EAC == nil || !strings.Contains(m.Why, "too few finished projects to say") {
		t.Errorf("history %+v, migration %+v", r.History, m)
	}
	if m.State != insight.RiskAct {
		t.Errorf("the gap alone makes it %s", m.State)
	}
	if p := all["Over"].Overrun; p == nil || *p != 1 {
		t.Errorf("what is over is over: %v", p)
	}
}

func TestProjectRisksWithoutProjects(t *testing.T) {
	t.Parallel()
	r, _ := projectRisks(t, newWorld(t))
	if len(r.Projects) != 0 || len(r.Missing) != 3 || r.Missing[0].Dataset != "projects" {
		t.Errorf("%+v", r)
	}
}
