package metric_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// as is acme as somebody with rights asks.
func as(r tenant.Rights) tenant.Scope {
	slices.Sort(r.Clients)
	slices.Sort(r.Teams)
	slices.Sort(r.Hidden)
	r.Role = "limited"
	return tenant.Scope{Tenant: acme.Tenant, Actor: "user:7", Rights: &r}
}

// sightWorld is an installation with a part of the files of the sample: those rows that keep
// leaves, which is told their columns by name.
type sightWorld struct {
	*metric.Catalog
	data *dataset.Service
	told []string
}

func newSightWorld(t *testing.T, files map[string][][]string, keep func(map[string]string) bool) *sightWorld {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	x := &sightWorld{data: dataset.New(w, db, audit.New(sampleClock), noJobs{}, sampleClock)}
	dir := t.TempDir()
	for name, rows := range files {
		kept := rows[:1:1]
		for _, row := range rows[1:] {
			record := map[string]string{}
			for i, column := range rows[0] {
				record[column] = row[i]
			}
			if keep(record) {
				kept = append(kept, row)
			}
		}
		if len(kept) == 1 {
			continue
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := csv.NewWriter(f).WriteAll(kept); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if _, err := x.data.Import(t.Context(), acme, dataset.ImportRequest{Path: f.Name()}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	x.Catalog = metric.New(w, metric.Options{Now: sampleClock, Definitions: definition.New(db, audit.New(sampleClock), sampleClock), OnSensitive: func(_ context.Context, s tenant.Scope, c tenant.Class) error {
		x.told = append(x.told, fmt.Sprintf("%s reads %s", s.Actor, c))
		return nil
	}})
	return x
}

// sampleFiles are the records of the sample's files by name, the header first.
func sampleFiles(t *testing.T, opt sample.MSPOptions) map[string][][]string {
	t.Helper()
	dir := t.TempDir()
	if _, err := sample.MSP(dir, opt); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.csv"))
	out := map[string][][]string{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if out[filepath.Base(name)], err = csv.NewReader(f).ReadAll(); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return out
}

func all(map[string]string) bool { return true }

// Three imports of the sample serve all of these.
func TestRightsOnTheSample(t *testing.T) {
	t.Parallel()
	files := sampleFiles(t, sample.MSPOptions{Clients: 9, Months: 6})
	var clients []string
	for _, row := range files["clients.csv"][1:] {
		if row[3] == "active" {
			clients = append(clients, row[1])
		}
	}
	slices.Sort(clients)
	visible := clients[1:6]
	team := map[string]bool{} // of the service desk
	for _, row := range files["staff.csv"][1:] {
		team[row[1]] = row[4] == "Service Desk"
	}
	whole := newSightWorld(t, files, all)
	t.Run("an account manager sees what a firm of these clients alone would", func(t *testing.T) {
		alone := newSightWorld(t, files, func(r map[string]string) bool {
			name, named := r["client_name"]
			return named && slices.Contains(visible, name) || !named && r["opportunity_id"] == "" // opportunities name no client
		})
		answersAreThoseOf(t, whole, alone, as(tenant.Rights{Clients: slices.Clone(visible)}), whole.Measures(), []string{"client", "industry", "month", "quarter", "agreement", "work_type", "product", "ticket_type", "priority", "revenue_category", "vendor", "staff", "team", "project", "week"})
	})
	t.Run("a team lead sees what a firm of this team alone would", func(t *testing.T) {
		alone := newSightWorld(t, files, func(r map[string]string) bool {
			name, named := r["staff_name"]
			return !named || team[name]
		})
		var about []*metric.Measure
		for _, name := range []string{"hours_worked", "billable_hours", "labor_cost", "labor_cost_rate", "capacity_hours", "utilization", "overtime_hours", "internal_hours", "headcount", "fte", "time_entry_lag", "payroll_cost", "paid_hour_cost", "project_hours", "unbilled_hours"} {
			m, err := whole.Measure(name)
			if err != nil {
				t.Fatal(err)
			}
			about = append(about, m)
		}
		answersAreThoseOf(t, whole, alone, as(tenant.Rights{Teams: []string{"Service Desk"}}), about, []string{"staff", "role", "team", "month", "client", "work_type", "week"})
	})
	t.Run("visible roll-ups equal the visible rows", func(t *testing.T) { visibleRollupsEqualRows(t, whole.Catalog, visible) })
	t.Run("what is hidden is in no answer", func(t *testing.T) { hiddenIsInNoAnswer(t, whole) })
	t.Run("every way to ask is refused", func(t *testing.T) { everyWayIsRefused(t, whole, clients) })
	t.Run("answers of one are not those of another", func(t *testing.T) { cachesAreApart(t, whole, clients) })
	t.Run("pay is what few people cost", func(t *testing.T) { payIsWhatFewCost(t, whole) })
	t.Run("definitions of what is hidden are not shown", func(t *testing.T) { definitionsAreHidden(t, whole, clients) })
	t.Run("who reads pay and personal figures is told", func(t *testing.T) { readersAreTold(t, whole) })
	t.Run("what is said to be unseen is what is refused", func(t *testing.T) { unseenIsWhatIsRefused(t, whole, clients) })
	t.Run("a renamed client stays visible", func(t *testing.T) { renamedStaysVisible(t, whole, clients) }) // last: it changes the data
}

// answersAreThoseOf asks random questions of an installation under rights, and of another
// that holds nothing else.
func answersAreThoseOf(t *testing.T, whole, alone *sightWorld, scope tenant.Scope, measures []*metric.Measure, dimensions []string) {
	t.Helper()
	asked, refused := 0, map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.SampledFrom(measures).Draw(rt, "measure")
		q := metric.Query{Measures: []string{m.Name}}
		from := rapid.IntRange(1, 5).Draw(rt, "from")
		q.Period = period(t, fmt.Sprintf("2026-%02d", from), fmt.Sprintf("2026-%02d", rapid.IntRange(from+1, 7).Draw(rt, "to")))
		can := slices.DeleteFunc(whole.DimensionsOf(m), func(d string) bool { return !slices.Contains(dimensions, d) })
		for range rapid.IntRange(0, min(2, len(can))).Draw(rt, "cuts") {
			if d := rapid.SampledFrom(can).Draw(rt, "by"); !slices.Contains(q.Dimensions, d) {
				q.Dimensions = append(q.Dimensions, d)
			}
		}
		if rapid.Bool().Draw(rt, "filtered") && slices.Contains(can, "industry") {
			q.Where = `industry != "Legal"`
		}
		got, err := whole.Run(t.Context(), scope, q)
		if fault.KindOf(err) == fault.Forbidden {
			refused[m.Name] = true
			return
		}
		if fault.KindOf(err) == fault.Invalid { // cuts that do not go together
			return
		}
		if err != nil {
			rt.Fatalf("%+v: %v", q, err)
		}
		want, err := alone.Run(t.Context(), acme, q)
		if err != nil {
			rt.Fatalf("%+v: alone: %v", q, err)
		}
		asked++
		if diff := cmp.Diff(values(want), values(got)); diff != "" {
			rt.Fatalf("%+v: alone (-) and under rights (+):\n%s", q, diff)
		}
	})
	t.Logf("%d answers compared, %d measures refused", asked, len(refused))
	if asked < 20 {
		t.Errorf("only %d answers were compared", asked)
	}
}

// values are the rows of a result without those of zeros and nulls alone: where nothing is,
// one has no rows and the other nothing imported.
func values(r *metric.Result) [][]string {
	out := [][]string{}
	for _, row := range r.Rows {
		line, some := []string{}, false
		for i, v := range row {
			text := fmt.Sprint(v)
			if d, ok := v.(quantity.Decimal); ok && r.Columns[i].Type == "decimal" {
				some = some || !d.IsZero()
				text = d.String()
			}
			line = append(line, text)
		}
		if some {
			out = append(out, line)
		}
	}
	return out
}

// Those who see some clients, some teams, and both are answered from roll-ups of what they see.
func visibleRollupsEqualRows(t *testing.T, c *metric.Catalog, clients []string) {
	base := metric.WithoutRollups(c)
	byClient, byTeam := as(tenant.Rights{Clients: slices.Clone(clients)}), as(tenant.Rights{Teams: []string{"Service Desk"}})
	byBoth := as(tenant.Rights{Clients: slices.Clone(clients[:3]), Teams: []string{"Service Desk", "Projects"}})
	byNone := as(tenant.Rights{Clients: []string{}})
	for _, s := range []tenant.Scope{byClient, byTeam, byBoth, byNone} {
		facts := []string{"time"}
		if s.Rights.Teams == nil {
			facts = append(facts, "invoices")
		}
		rapid.Check(t, func(rt *rapid.T) { same(rt, t.Context(), s, c, base, anyQuestion(rt, c, facts...)) })
	}
	weeks := period(t, "2026-02-09", "2026-04-06") // from Monday to Monday
	for _, k := range []struct {
		scope   tenant.Scope
		measure string
		by      []string
		period  quantity.Period
		want    string
	}{
		{byClient, "hours_worked", nil, quantity.Period{}, "rollup_time_client"},
		{byClient, "hours_worked", []string{"month", "work_type"}, quantity.Period{}, "rollup_time_client"},
		{byClient, "hours_worked", []string{"staff"}, quantity.Period{}, "rollup_time_staff"},
		{byClient, "hours_worked", []string{"week"}, quantity.Period{}, "rollup_time_client_week"},
		{byClient, "hours_worked", []string{"team"}, weeks, "rollup_time_staff_week"},
		{byClient, "hours_worked", []string{"client", "staff"}, quantity.Period{}, "time_entries"},
		{byClient, "revenue", []string{"month"}, quantity.Period{}, "rollup_invoices"},
		{byTeam, "hours_worked", []string{"month"}, quantity.Period{}, "rollup_time_staff"},
		{byTeam, "hours_worked", []string{"industry"}, quantity.Period{}, "rollup_time_client"},
		{byTeam, "hours_worked", []string{"client"}, weeks, "rollup_time_client_week"},
		{byBoth, "hours_worked", []string{"client"}, quantity.Period{}, "rollup_time_client"},
		{byBoth, "hours_worked", []string{"week"}, quantity.Period{}, "rollup_time_staff_week"},
	} {
		r, err := c.Run(t.Context(), k.scope, metric.Query{Measures: []string{k.measure}, Dimensions: k.by, Period: k.period})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(r.Sources, []string{k.want}) {
			t.Errorf("%s by %v in %s for %s: %v, want %s", k.measure, k.by, k.period, k.scope.Rights.Key(), r.Sources, k.want)
		}
	}
}

func hiddenIsInNoAnswer(t *testing.T, c *sightWorld) {
	ctx, p := t.Context(), period(t, "2026-01", "2026-02")
	for _, hidden := range [][]tenant.Class{{tenant.Pay}, {tenant.Cost}, {tenant.Margin}, {tenant.Cost, tenant.Margin, tenant.Pay}} {
		scope, gone := as(tenant.Rights{Hidden: slices.Clone(hidden)}), 0
		for some := range slices.Chunk(c.Measures(), 25) {
			q := metric.Query{Period: p}
			for _, m := range some {
				q.Measures = append(q.Measures, m.Name)
			}
			// Among others a hidden one is left out, with the reason.
			r, err := c.RunSeen(ctx, scope, q)
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.Run(ctx, acme, q)
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range some {
				got, why := r.Rows[0][i], r.Reasons[0][m.Name]
				if !slices.ContainsFunc(m.Classes, func(class tenant.Class) bool { return !scope.Rights.Sees(class) }) {
					if fmt.Sprint(got) != fmt.Sprint(want.Rows[0][i]) || why != want.Reasons[0][m.Name] {
						t.Errorf("%v hidden: %s is %v (%s), want %v", hidden, m.Name, got, why, want.Rows[0][i])
					}
					continue
				}
				gone++
				if got != nil || !strings.Contains(why, "hidden from the role limited") {
					t.Errorf("%v hidden: %s is %v (%s)", hidden, m.Name, got, why)
				}
				// Alone it is refused.
				if _, err := c.Run(ctx, scope, metric.Query{Measures: []string{m.Name}, Period: p}); fault.KindOf(err) != fault.Forbidden {
					t.Errorf("%v hidden: %s %v: %v", hidden, m.Name, m.Classes, err)
				}
			}
		}
		if gone < 5 {
			t.Errorf("%v hides %d measures", hidden, gone)
		}
	}
}

func everyWayIsRefused(t *testing.T, c *sightWorld, clients []string) {
	ctx, p := t.Context(), period(t, "2026-01", "2026-07")
	for _, k := range []metric.KPI{{Name: "spread_of_margin", Formula: "percentile(gross_margin, client, 0.9)"}, {Name: "worth", Formula: "revenue - labor_cost * 1.3"}, {Name: "part", Formula: "share(revenue, client)"}} {
		if _, err := c.AddKPI(ctx, acme, k); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.PutSegment(ctx, acme, metric.Segment{Name: "Thin", Dimension: "client", Where: "gross_margin < 30%"}, true); err != nil {
		t.Fatal(err)
	}
	snap, err := metric.Warehouse(c.Catalog).Current(ctx, acme)
	if err != nil {
		t.Fatal(err)
	}
	noMargin, noCost, noPay, noNames := as(tenant.Rights{Hidden: []tenant.Class{tenant.Margin}}), as(tenant.Rights{Hidden: []tenant.Class{tenant.Cost}}), as(tenant.Rights{Hidden: []tenant.Class{tenant.Pay}}), as(tenant.Rights{Hidden: []tenant.Class{tenant.Personal}})
	two, team := as(tenant.Rights{Clients: slices.Clone(clients[:2])}), as(tenant.Rights{Teams: []string{"Service Desk"}})
	run := func(scope tenant.Scope, q metric.Query) error {
		q.Period = p
		_, err := c.Run(ctx, scope, q)
		return err
	}
	one := []string{"revenue"}
	for name, err := range map[string]error{
		"a measure":                      run(noMargin, metric.Query{Measures: []string{"gross_margin"}}),
		"hidden cost hides margin":       run(noCost, metric.Query{Measures: []string{"gross_margin"}}),
		"a condition":                    run(noMargin, metric.Query{Measures: one, Dimensions: []string{"client"}, Where: "gross_margin < 20%"}),
		"a condition in an or":           run(noMargin, metric.Query{Measures: one, Dimensions: []string{"client"}, Where: "revenue > 10 or gross_margin < 20%"}),
		"top":                            run(noMargin, metric.Query{Measures: one, Dimensions: []string{"client"}, Top: &metric.Top{N: 3, By: "gross_margin"}}),
		"a percentile":                   run(noMargin, metric.Query{Measures: []string{"spread_of_margin"}}),
		"an own KPI":                     run(noCost, metric.Query{Measures: []string{"worth"}}),
		"a segment":                      run(noMargin, metric.Query{Measures: one, Where: `segment = "Thin"`}),
		"a cut by a segment":             run(noMargin, metric.Query{Measures: one, Dimensions: []string{"segment:Thin"}}),
		"a comparison":                   run(noCost, metric.Query{Measures: []string{"labor_cost"}, Compare: "previous"}),
		"a person's cost":                run(noPay, metric.Query{Measures: []string{"labor_cost"}, Dimensions: []string{"staff"}}),
		"a person's rate by filter":      run(noPay, metric.Query{Measures: []string{"labor_cost_rate"}, Where: `staff = "Miguel Abara"`}),
		"a payroll account":              run(noPay, metric.Query{Measures: []string{"ledger_payroll"}, Dimensions: []string{"account"}}),
		"people":                         run(noNames, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}}),
		"a filter by people":             run(noNames, metric.Query{Measures: []string{"hours_worked"}, Where: `staff startsWith "M"`}),
		"account managers":               run(noNames, metric.Query{Measures: one, Dimensions: []string{"account_manager"}}),
		"attributes":                     run(noNames, metric.Query{Measures: one, Where: `attribute["Contact"] = "x"`}),
		"the ledger by client":           run(two, metric.Query{Measures: []string{"ledger_revenue"}}),
		"capacity by client":             run(two, metric.Query{Measures: []string{"utilization"}}),
		"concentration by client":        run(two, metric.Query{Measures: []string{"client_concentration"}}),
		"own concentration by client":    run(two, metric.Query{Measures: []string{"spread_of_margin"}}),
		"revenue by team":                run(team, metric.Query{Measures: one}),
		"the busiest person, by team":    run(team, metric.Query{Measures: []string{"top_technician_share"}}),
		"another snapshot":               failed(c.Restate(ctx, noCost, metric.Query{Measures: []string{"labor_cost"}, Period: p}, snap)),
		"a blend":                        failed(c.RunBlended(ctx, noCost, metric.Query{Measures: []string{"labor_cost"}, Period: p, Snapshot: snap}, nil)),
		"rows of cost":                   failed(c.RowsBehind(ctx, noCost, metric.Query{Measures: []string{"labor_cost"}, Period: p}, 0, 10)),
		"rows of pay":                    failed(c.AllRowsBehind(ctx, noPay, metric.Query{Measures: []string{"labor_cost"}, Period: p})),
		"rows of another's":              failed(c.RowsBehind(ctx, two, metric.Query{Measures: []string{"ledger_revenue"}, Period: p}, 0, 10)),
		"values behind a median":         failed(c.Observed(ctx, team, metric.Query{Measures: []string{"sales_cycle"}, Period: p})),
		"a preview":                      failed(c.PreviewKPI(ctx, noMargin, metric.KPI{Formula: "gross_profit / hours_worked"})),
		"a left out cut":                 failed(c.RunSeen(ctx, noNames, metric.Query{Measures: one, Dimensions: []string{"account_manager"}, Period: p})),
		"a left out condition":           failed(c.RunSeen(ctx, noMargin, metric.Query{Measures: one, Dimensions: []string{"client"}, Where: "gross_margin < 20%", Period: p})),
		"a rule":                         failed(c.PutRule(ctx, noMargin, metric.Rule{Name: "Thin", Condition: "gross_margin < 20%", Dimension: "client"}, true)),
		"a rule's money":                 failed(c.PutRule(ctx, noMargin, metric.Rule{Name: "Thin", Condition: "revenue < 20", Money: "gross_profit", Dimension: "client"}, true)),
		"a new segment":                  failed(c.PutSegment(ctx, noMargin, metric.Segment{Name: "Thinner", Dimension: "client", Where: "gross_margin < 20%"}, true)),
		"a new KPI":                      failed(c.AddKPI(ctx, noMargin, metric.KPI{Name: "mine", Formula: "gross_profit / hours_worked"})),
		"a KPI":                          failed(c.KPI(ctx, noCost, "worth")),
		"versions of a KPI":              failed(c.KPIVersions(ctx, noCost, "worth")),
		"a statement that obeys nothing": failed(metric.Warehouse(c.Catalog).Query(ctx, two, warehouse.Statement{SQL: "SELECT 1"})),
		"a session":                      failed(metric.Warehouse(c.Catalog).NewSession(ctx, two)),
	} {
		if fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What may be seen of the same is seen.
	for name, err := range map[string]error{
		"order by what is shown": run(noMargin, metric.Query{Measures: one, Dimensions: []string{"client"}, Order: []string{"-revenue"}}),
		"revenue an hour":        run(noCost, metric.Query{Measures: []string{"gross_hourly_rate"}}),
		"all labor cost":         run(noPay, metric.Query{Measures: []string{"labor_cost", "gross_margin"}, Dimensions: []string{"month"}}),
		"hours by person":        run(noPay, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}}),
		"hours by team":          run(noNames, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"team"}}),
		"hours at clients":       run(two, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}}),
		"a share among clients":  run(two, metric.Query{Measures: []string{"part"}, Dimensions: []string{"client"}}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	rows, err := c.RowsBehind(ctx, noNames, metric.Query{Measures: []string{"hours_worked"}, Period: p}, 0, 5)
	if err != nil || slices.Contains(rows.Columns, "staff") || !slices.Contains(rows.Columns, "client") || len(rows.Rows) != 5 {
		t.Errorf("rows without names: %v %v", rows, err)
	}
	mine, err := c.AllRowsBehind(ctx, two, metric.Query{Measures: []string{"hours_worked"}, Period: p})
	if err != nil || len(mine.Rows) == 0 {
		t.Fatal(mine, err)
	}
	for _, row := range mine.Rows {
		if at := slices.Index(mine.Columns, "client"); !slices.Contains(clients[:2], fmt.Sprint(row[at])) {
			t.Fatalf("a row of %v", row[at])
		}
	}
}

func failed[T any](_ T, err error) error { return err }

func cachesAreApart(t *testing.T, c *sightWorld, clients []string) {
	q := metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: period(t, "2026-02", "2026-05")}
	for range 2 { // the second time from the cache
		for _, only := range [][]string{nil, clients[:1], clients[1:3], {}, clients[:1]} {
			scope := as(tenant.Rights{Clients: slices.Clone(only)})
			r, err := c.Run(t.Context(), scope, q)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, row := range r.Rows {
				names = append(names, row[0].(string))
			}
			if only != nil && !slices.Equal(names, only) || only == nil && len(names) <= 3 {
				t.Errorf("who sees %q gets %q", only, names)
			}
		}
	}
}

func payIsWhatFewCost(t *testing.T, c *sightWorld) {
	ctx, p := t.Context(), period(t, "2026-01", "2026-07")
	people, err := c.Run(ctx, acme, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"team", "staff"}, Period: p})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]int{}
	for _, row := range people.Rows {
		in[row[0].(string)]++
	}
	few := false
	noPay := tenant.Rights{Hidden: []tenant.Class{tenant.Pay}}
	for team, n := range in {
		few = few || n < 3
		own := as(tenant.Rights{Hidden: noPay.Hidden, Teams: []string{team}})
		_, err := c.Run(ctx, own, metric.Query{Measures: []string{"labor_cost"}, Period: p})
		if refused := fault.KindOf(err) == fault.Forbidden; refused != (n < 3) {
			t.Errorf("the cost of a team of %d people: %v", n, err)
		}
	}
	for _, q := range []metric.Query{{Dimensions: []string{"team"}}, {Where: `team != "Service Desk"`}, {Where: `not (team = "Projects")`}} {
		q.Measures, q.Period = []string{"labor_cost"}, p
		if _, err := c.Run(ctx, as(noPay), q); (fault.KindOf(err) == fault.Forbidden) != few {
			t.Errorf("%+v with teams of %v: %v", q, in, err)
		}
		if _, err := c.Run(ctx, as(tenant.Rights{}), q); err != nil {
			t.Errorf("%+v for who sees pay: %v", q, err)
		}
	}
	if !few {
		t.Errorf("no team is small: %v", in)
	}
}

func definitionsAreHidden(t *testing.T, c *sightWorld, clients []string) {
	ctx := t.Context()
	if _, err := c.PutSegment(ctx, acme, metric.Segment{Name: "Others", Dimension: "client", Where: fmt.Sprintf("client = %q", clients[3])}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutSegment(ctx, acme, metric.Segment{Name: "Mine", Dimension: "client", Where: fmt.Sprintf("client = %q", clients[0])}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutRule(ctx, acme, metric.Rule{Name: "Thin", Condition: "gross_margin < 20%", Dimension: "client"}, true); err != nil {
		t.Fatal(err)
	}
	shown := func(scope tenant.Scope) []string {
		t.Helper()
		var out []string
		segments, err := c.Segments(ctx, scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range segments {
			out = append(out, s.Name)
		}
		rules, err := c.Rules(ctx, scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			out = append(out, "rule "+r.Name)
		}
		kpis, err := c.KPIs(ctx, scope)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kpis {
			out = append(out, k.Name)
		}
		return out
	}
	for name, one := range map[string]struct {
		scope tenant.Scope
		want  []string
	}{
		"everything": {acme, []string{"Mine", "Others", "Thin", "rule Thin", "part", "spread_of_margin", "worth"}},
		"no margin":  {as(tenant.Rights{Hidden: []tenant.Class{tenant.Margin}}), []string{"Mine", "Others", "part"}},
		"one client": {as(tenant.Rights{Clients: []string{clients[0]}}), []string{"Mine", "Thin", "rule Thin", "part", "spread_of_margin", "worth"}},
	} {
		if got := shown(one.scope); !slices.Equal(got, one.want) {
			t.Errorf("who sees %s is shown %q, want %q", name, got, one.want)
		}
	}
	bands, err := c.Bands(ctx, as(tenant.Rights{Hidden: []tenant.Class{tenant.Margin}}))
	if err != nil || len(bands) == 0 {
		t.Fatal(err)
	}
	for _, b := range bands {
		if m, _ := c.Measure(b.Measure); slices.Contains(m.Classes, tenant.Margin) {
			t.Errorf("the band of %s is shown", b.Measure)
		}
	}
}

func readersAreTold(t *testing.T, c *sightWorld) {
	ctx, p := t.Context(), period(t, "2026-01", "2026-07")
	some := as(tenant.Rights{Clients: nil})
	for _, one := range []struct {
		scope tenant.Scope
		q     metric.Query
		want  []string
	}{
		{some, metric.Query{Measures: []string{"revenue"}}, nil},
		{some, metric.Query{Measures: []string{"payroll_cost"}}, []string{"user:7 reads pay"}},
		{some, metric.Query{Measures: []string{"hours_worked"}, Dimensions: []string{"staff"}}, []string{"user:7 reads personal"}},
		{some, metric.Query{Measures: []string{"labor_cost"}, Dimensions: []string{"staff"}}, []string{"user:7 reads personal", "user:7 reads pay"}},
		{acme, metric.Query{Measures: []string{"payroll_cost"}}, nil}, // the machine's owner
	} {
		one.q.Period = p
		for range 2 { // from the cache, too
			c.told = nil
			if _, err := c.Run(ctx, one.scope, one.q); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.told, one.want) {
				t.Errorf("%v: told %q, want %q", one.q.Measures, c.told, one.want)
			}
		}
	}
	c.told = nil
	if _, err := c.RowsBehind(ctx, some, metric.Query{Measures: []string{"hours_worked"}, Period: p}, 0, 1); err != nil || !slices.Equal(c.told, []string{"user:7 reads personal"}) {
		t.Errorf("rows: told %q, %v", c.told, err)
	}
}

func renamedStaysVisible(t *testing.T, c *sightWorld, clients []string) {
	ctx, p := t.Context(), period(t, "2026-01", "2026-07")
	q := metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Period: p}
	before, err := c.Run(ctx, as(tenant.Rights{Clients: []string{clients[0]}}), q)
	if err != nil || len(before.Rows) != 1 {
		t.Fatal(before, err)
	}
	if err := c.data.SetAlias(ctx, acme, "client", clients[0], "Harbor New Name"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{clients[0], "Harbor New Name"} {
		r, err := c.Run(ctx, as(tenant.Rights{Clients: []string{name}}), q)
		if err != nil || len(r.Rows) != 1 || r.Rows[0][0] != "Harbor New Name" || fmt.Sprint(r.Rows[0][1]) != fmt.Sprint(before.Rows[0][1]) {
			t.Errorf("who may see %q gets %v, want the client under its new name (%v)", name, r.Rows, err)
		}
	}
}

// The classes of every measure, as a person reads them: -update rewrites the file. Look at
// the difference: what leaves a class is seen by everybody.
func TestEveryMeasureHasTheClassesOfTheList(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	c := metric.New(nil, metric.Options{})
	for _, m := range c.Measures() {
		d, err := c.Definition(m.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%-32s %s\n", m.Name, showsOf(d))
	}
	for _, d := range c.Dimensions() {
		if len(d.Classes) > 0 {
			fmt.Fprintf(&b, "by %-29s %v\n", d.Name, d.Classes[0])
		}
	}
	file := filepath.Join("testdata", "classes.txt")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("testdata/classes.txt (-) and the catalog (+):\n%s", diff)
	}
}

// showsOf are the classes of a measure in words.
func showsOf(d metric.Definition) string {
	if len(d.Classes) == 0 {
		return "-"
	}
	shows := strings.Join(d.Classes, ", ")
	if len(d.PayBy) > 0 {
		shows += ", pay by " + strings.Join(d.PayBy, " and ")
	}
	return shows
}

// Every method of the catalog that is asked by somebody is here, with what keeps it to the
// rights of who asks. A new one fails until somebody has thought about it.
func TestEveryMethodThatIsAskedBySomebodyKeepsToTheirRights(t *testing.T) {
	t.Parallel()
	byAsk, byDefinition, nothing := "its questions come from ask", "mayName and mayRead", "it shows nothing that has a class or a row"
	checked := map[string]string{
		"Run": byAsk, "RunSeen": byAsk, "RunBlended": byAsk, "Restate": byAsk, "RowsBehind": byAsk, "AllRowsBehind": byAsk, "Observed": byAsk, "PreviewKPI": byAsk, "TicketClasses": byAsk,
		"Stored": "it filters by Clients", "Clients": "it is the list itself",
		"KPIs": byDefinition, "KPI": byDefinition, "AddKPI": byDefinition, "ChangeKPI": byDefinition, "KPIVersions": byDefinition, "Segments": byDefinition, "PutSegment": byDefinition,
		"Rules": byDefinition, "PutRule": byDefinition, "Bands": byDefinition,
		"RemoveKPI": nothing, "RemoveSegment": nothing, "RemoveRule": nothing, "SetCalendar": nothing, "WorkClasses": nothing, "Zone": nothing,
		"For": "what it returns asks by ask", "Lookup": "a definition without figures",
		"Definitions": "what it returns is read by MayRead", "MayRead": "it is the question itself", "SettingsNow": nothing, "House": nothing,
	}
	catalog, scope := reflect.TypeFor[*metric.Catalog](), reflect.TypeFor[tenant.Scope]()
	for i := range catalog.NumMethod() {
		m := catalog.Method(i)
		takes := false
		for at := range m.Type.NumIn() {
			takes = takes || m.Type.In(at) == scope
		}
		if takes && checked[m.Name] == "" {
			t.Errorf("Catalog.%s takes a scope: say here what keeps it to the rights of who asks", m.Name)
		}
		delete(checked, m.Name)
	}
	for name := range checked {
		t.Errorf("there is no method %s", name)
	}
}

// unseenIsWhatIsRefused asks for each measure by itself: pages leave out what is refused, and nothing else.
func unseenIsWhatIsRefused(t *testing.T, whole *sightWorld, clients []string) {
	for name, r := range map[string]tenant.Rights{
		"client portal": {Clients: clients[:1], Hidden: []tenant.Class{tenant.Cost, tenant.Margin, tenant.Pay, tenant.Personal}},
		"technician":    {Teams: []string{"Service Desk"}, Hidden: []tenant.Class{tenant.Cost, tenant.Margin, tenant.Pay, tenant.Personal}},
		"analyst":       {Hidden: []tenant.Class{tenant.Pay, tenant.Personal}},
	} {
		seen := 0
		for _, m := range whole.Measures() {
			_, err := whole.Run(t.Context(), as(r), metric.Query{Measures: []string{m.Name}})
			if refused := fault.KindOf(err) == fault.Forbidden; refused != whole.Unseen(&r, m) {
				t.Errorf("%s, %s: refused %v (%v), said to be unseen %v", name, m.Name, refused, err, !refused)
			} else if !refused {
				seen++
			}
		}
		if seen == 0 || name != "analyst" && seen == len(whole.Measures()) {
			t.Errorf("%s sees %d of %d measures", name, seen, len(whole.Measures()))
		}
	}
}
