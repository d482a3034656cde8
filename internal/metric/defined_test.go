package metric_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var globex = tenant.Scope{Tenant: "globex", Actor: "test"}

// defined returns a catalog that keeps definitions, over a fresh warehouse, in July 2026.
func defined(t *testing.T) (*metric.Catalog, *warehouse.Warehouse, *definition.Store) {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	store := definition.New(db, audit.New(sampleClock), sampleClock)
	return metric.New(w, metric.Options{Now: sampleClock, Definitions: store}), w, store
}

func day(t *testing.T, s string) quantity.Day {
	t.Helper()
	d, err := quantity.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func text(v any) string { return fmt.Sprint(v) }

func kpi(t *testing.T, c *metric.Catalog, name, formula string) {
	t.Helper()
	if _, err := c.AddKPI(t.Context(), acme, metric.KPI{Name: name, Formula: formula}); err != nil {
		t.Fatalf("%s: %v %v", formula, err, fault.FieldsOf(err))
	}
}

// Three clients, January 2025 to June 2026: A earns 100, 101, 102, … a month, B 50 every
// month, C 10 in March and September only; the labor of A costs 40 a month.
func threeClients(t *testing.T, w *warehouse.Warehouse) {
	t.Helper()
	put(t, w, map[string]string{
		"invoices": `SELECT * FROM (SELECT 'A' AS client_key, (DATE '2025-01-15' + INTERVAL (i) MONTH)::DATE AS invoice_date, (100 + i)::DOUBLE AS net_amount FROM range(18) t(i)
			UNION ALL SELECT 'B', (DATE '2025-01-15' + INTERVAL (i) MONTH)::DATE, 50 FROM range(18) t(i)
			UNION ALL SELECT 'C', d, 10 FROM (SELECT unnest([DATE '2025-03-01', DATE '2025-09-30', DATE '2026-03-01']) AS d))`,
		"time_entries": `SELECT 'A' AS client_key, 'sam' AS staff_key, (DATE '2025-01-28' + INTERVAL (i) MONTH)::DATE AS work_date, 2.0 AS hours_worked, 20.0 AS cost_rate FROM range(18) t(i)`,
		"agreements":   `SELECT 'A' AS client_key, 'X' AS agreement_id, 7.0 AS amount, DATE '2026-03-01' AS start_date`,
	})
}

// Every value below is computed by hand from threeClients.
func TestFunctionsOverTimeAndMembers(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	spring := quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-05-01")}
	for i, k := range []struct {
		formula string
		by      []string
		period  quantity.Period
		where   string
		want    []string
	}{
		{"lag(revenue, 1)", []string{"month"}, spring, "", []string{"2026-03-01 | 163", "2026-04-01 | 174"}},
		{"lag(revenue, 1)", []string{"client", "month"}, spring, `client = "C"`, []string{"C | 2026-03-01 | 0", "C | 2026-04-01 | 10"}},
		{"lag(revenue)", nil, spring, "", []string{"337"}}, // February and March: 163 + 174
		{"lag(revenue, 1)", []string{"quarter"}, quantity.Period{From: day(t, "2026-01-01"), To: day(t, "2026-04-01")}, "", []string{"2026-01-01 | 480"}},
		{"growth(revenue, 1)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 0.00885", "2026-04-01 | 0.008772"}},
		{"yoy(revenue)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 0.117647", "2026-04-01 | 0.116505"}},
		{"yoy(revenue)", nil, spring, `client = "B"`, []string{"0"}},
		{"rolling(revenue, 3)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 339", "2026-04-01 | 342"}},
		{"rolling(gross_margin, 2)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 0.647577", "2026-04-01 | 0.650655"}}, // 1 - 80/227, 1 - 80/229
		{"rolling(revenue, 12)", nil, spring, `client = "B"`, []string{"600"}},
		{"rolling(mrr, 3)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 7", "2026-04-01 | 7"}}, // a stock takes the last
		{"lag(mrr, 1)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 0", "2026-04-01 | 7"}},
		{"cumulative(revenue)", []string{"month"}, spring, `client = "B"`, []string{"2026-03-01 | 150", "2026-04-01 | 200"}},
		{`cumulative(revenue, "period")`, []string{"month"}, spring, `client = "B"`, []string{"2026-03-01 | 50", "2026-04-01 | 100"}},
		{"cumulative(revenue)", nil, spring, `client = "B"`, []string{"200"}},
		{"lag(rolling(revenue, 2), 1)", []string{"month"}, spring, `client = "A"`, []string{"2026-03-01 | 225", "2026-04-01 | 227"}}, // January + February, February + March
		{"rolling(revenue / months, 2)", []string{"month"}, spring, `client = "B"`, []string{"2026-03-01 | 50", "2026-04-01 | 50"}},
		{"share(revenue)", []string{"client"}, quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, "", []string{"A | 0.655172", "B | 0.287356", "C | 0.057471"}},
		{"share(revenue)", []string{"client", "month"}, spring, `client != "C"`, []string{"A | 2026-03-01 | 0.695122", "A | 2026-04-01 | 0.69697", "B | 2026-03-01 | 0.304878", "B | 2026-04-01 | 0.30303"}},
		{"rank(revenue)", []string{"client"}, spring, "", []string{"A | 1", "B | 2", "C | 3"}},
		{"hhi(revenue, client)", nil, quantity.Period{From: day(t, "2026-04-01"), To: day(t, "2026-05-01")}, "", []string{"0.577594"}}, // (115² + 50²) / 165²
		{"top_share(revenue, client, 1)", []string{"month"}, spring, "", []string{"2026-03-01 | 0.655172", "2026-04-01 | 0.69697"}},
		{"percentile(revenue, client, 0.5)", []string{"month"}, spring, "", []string{"2026-03-01 | 50", "2026-04-01 | 82.5"}},
		{"hhi(rolling(revenue, 2), client)", []string{"month"}, quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, "", []string{"2026-03-01 | 0.542657"}}, // 227, 100, 10 of 337
		{"if(revenue > 100, revenue, 0)", []string{"client"}, quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, "", []string{"A | 114", "B | 0", "C | 0"}},
		{"coalesce(revenue / hours_worked, 0)", []string{"client"}, quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, "", []string{"A | 57", "B | 0", "C | 0"}},
		{"max(revenue, 60) - min(revenue, $60) + abs(-revenue) - round(revenue / 3, 1) * 3", []string{"client"}, quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, `client = "B"`, []string{"B | 9.9"}}, // 60 - 50 + 50 - 16.7 × 3
	} {
		name := fmt.Sprintf("kpi_%d", i)
		kpi(t, c, name, k.formula)
		if diff := cmp.Diff(k.want, ask(t, c, metric.Query{Measures: []string{name}, Dimensions: k.by, Period: k.period, Where: k.where})); diff != "" {
			t.Errorf("%s by %v: %s", k.formula, k.by, diff)
		}
	}
}

func TestHistoryThatIsMissingIsNullWithAReason(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	kpi(t, c, "before", "lag(revenue, 1)")
	kpi(t, c, "twelve", "rolling(revenue, 12)")
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"before", "twelve"}, Dimensions: []string{"month"}, Period: quantity.Period{From: day(t, "2025-01-01"), To: day(t, "2025-03-01")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 2 || r.Rows[0][1] != nil || r.Rows[1][1] == nil || r.Rows[1][2] != nil || !strings.Contains(r.Reasons[0]["before"], "known from 2025-01-01 on") {
		t.Errorf("%v %v", r.Rows, r.Reasons)
	}
	for _, bad := range []struct {
		q    metric.Query
		says string
	}{
		{metric.Query{Measures: []string{"before"}, Where: "month >= 2026-01"}, "give the period itself"},
		{metric.Query{Measures: []string{"before"}, Dimensions: []string{"month"}, Period: quantity.Period{From: day(t, "2026-01-10")}}, "first day of a month"},
		{metric.Query{Measures: []string{"before"}, Dimensions: []string{"month", "week"}, Period: quantity.Period{From: day(t, "2026-01-05"), To: day(t, "2026-02-02")}}, "not by both"},
	} {
		if _, err := c.Run(t.Context(), acme, bad.q); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), bad.says) {
			t.Errorf("%+v: got %v, want %q", bad.q, err, bad.says)
		}
	}
}

func TestConditionsOnMeasuresChooseCells(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	march := quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}
	kpi(t, c, "growth_of_revenue", "growth(revenue, 1)")
	for _, k := range []struct {
		where, by string
		want      []string
	}{
		{"revenue >= $50", "client", []string{"A | 114", "B | 50"}},
		{`client in ("A", "B") and month >= 2026-01 and gross_margin < 70%`, "client", []string{"A | 114"}},
		{"not (revenue > 20)", "client", []string{"C | 10"}},
		{`client = "C" or revenue > 100`, "client", []string{"A | 114", "C | 10"}},
		{"revenue / hours_worked > 10", "client", []string{"A | 114"}}, // B and C have no hours: unknown
		{"hours_worked < 1 or revenue > 100", "client", []string{"A | 114", "B | 50", "C | 10"}},
		{"share(revenue) > 50%", "client", []string{"A | 114"}},
		{"growth_of_revenue > 0", "client", []string{"A | 114"}},
		{"revenue > 1000", "client", nil},
		{"revenue > 100", "", []string{"174"}},
	} {
		q := metric.Query{Measures: []string{"revenue"}, Where: k.where, Period: march}
		if k.by != "" {
			q.Dimensions = []string{k.by}
		}
		got := ask(t, c, q)
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(k.want, got); diff != "" {
			t.Errorf("%s: %s", k.where, diff)
		}
	}
	if _, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Where: `client = "A" or revenue > 5`}); !strings.Contains(fault.Message(err), "cut by client") {
		t.Errorf("a condition on a client that the answer is not cut by: %v", err)
	}
	if _, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Where: `clint = "A" and revenue > 5`}); !strings.Contains(fault.Message(err), `did you mean "client"`) {
		t.Errorf("got %v", err)
	}
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: "revenue > 100", Period: march, Compare: "previous"})
	if err != nil || len(r.Rows) != 1 || text(r.Rows[0]) != "[A 114 113 1]" {
		t.Errorf("compared: %v %v", r, err)
	}
}

func TestSegmentsFilterAndCut(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	march := quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}
	for _, s := range []metric.Segment{
		{Name: "Large", Dimension: "client", Where: "revenue > $40"},
		{Name: "Year", Dimension: "client", Where: "revenue >= 620", Months: 12}, // A: 1,314; B: 600 of twelve months
		{Name: "Named", Dimension: "client", Where: `client in ("B", "C")`},
		{Name: "Both", Dimension: "client", Where: `segment = "Large" and segment = "Named"`},
	} {
		if _, err := c.PutSegment(t.Context(), acme, s, true); err != nil {
			t.Fatal(err, fault.FieldsOf(err))
		}
	}
	for where, want := range map[string]string{
		`segment = "Large"`:                        "[A | 114 B | 50]",
		`segment != "Large"`:                       "[C | 10]",
		`segment = "Year"`:                         "[A | 114]",
		`segment in ("Year", "Named")`:             "[A | 114 B | 50 C | 10]",
		`segment = "Both"`:                         "[B | 50]",
		`segment = "Large" and not (client = "A")`: "[B | 50]",
		`segment = "Named" and revenue < 20`:       "[C | 10]",
		`client = "A" and segment in ("Large")`:    "[A | 114]",
		`segment = "Named" or (segment = "Year")`:  "[A | 114 B | 50 C | 10]",
	} {
		if got := text(ask(t, c, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Where: where, Period: march})); got != want {
			t.Errorf("%s: got %s, want %s", where, got, want)
		}
	}
	cut := metric.Query{Measures: []string{"revenue", "gross_margin"}, Dimensions: []string{"segment:Large"}, Period: march}
	if got := text(ask(t, c, cut)); got != "[Large | 164 | 0.756098 not Large | 10 | 1]" {
		t.Errorf("cut by a segment: %s", got)
	}
	r, err := c.Run(t.Context(), acme, cut)
	if err != nil || r.DefinitionVersions["segment:Large"] != 1 {
		t.Errorf("%v %v", r.DefinitionVersions, err)
	}
	if err := c.RemoveSegment(t.Context(), acme, "Large"); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Message(err), `segment "Both"`) {
		t.Errorf("removed although it is used: %v", err)
	}
	for _, bad := range []metric.Segment{
		{Name: "X", Dimension: "month", Where: "revenue > 1"}, {Name: "X", Dimension: "client", Where: `product = "P"`}, {Name: "X", Dimension: "client"},
		{Name: "X", Dimension: "client", Where: `segment = "X"`}, {Name: `a"b`, Dimension: "client", Where: "revenue > 1"}, {Name: "X", Dimension: "client", Where: "revenue > 1", Months: 999},
	} {
		if _, err := c.PutSegment(t.Context(), acme, bad, true); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
	if _, err := c.PutSegment(t.Context(), acme, metric.Segment{Name: "Large", Dimension: "client", Where: `segment = "Both" and revenue > 1`}, false); err == nil || !strings.Contains(fault.Message(err), "itself") {
		t.Errorf("a circle: %v", err)
	}
}

func TestTheFirstAndAllOthersAddUpToTheTotal(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	q := metric.Query{Measures: []string{"revenue", "gross_margin"}, Dimensions: []string{"client"}, Period: quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}, Top: &metric.Top{N: 1}}
	if got := text(ask(t, c, q)); got != "[A | 114 | 0.649123 others | 60 | 1]" {
		t.Errorf("top 1: %s", got)
	}
	q.Top = &metric.Top{N: 1, By: "-revenue"}
	if got := text(ask(t, c, q)); got != "[C | 10 | 1 others | 164 | 0.756098]" {
		t.Errorf("the smallest: %s", got)
	}
	q.Dimensions = []string{"client", "month"}
	q.Top = &metric.Top{N: 2}
	if got := text(ask(t, c, q)); got != "[A | 2026-03-01 | 114 | 0.649123 B | 2026-03-01 | 50 | 1 others | 2026-03-01 | 10 | 1]" {
		t.Errorf("by month: %s", got)
	}
	q.Where = "revenue > 20"
	if _, err := c.Run(t.Context(), acme, q); !strings.Contains(fault.Message(err), "segment") {
		t.Errorf("top with a condition on a measure: %v", err)
	}
	for _, bad := range []*metric.Top{{N: 0}, {N: 5000}, {N: 1, Dimension: "month"}, {N: 1, By: "nothing"}} {
		q.Where, q.Top = "", bad
		if _, err := c.Run(t.Context(), acme, q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestKPIsAreVersionedAndCheckedAgainstEachOther(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	kpi(t, c, "per_hour", "per(revenue, hours_worked)")
	kpi(t, c, "per_hour_year", "rolling(per_hour, 12)")
	got, err := c.ChangeKPI(t.Context(), acme, metric.KPI{Name: "per_hour", Formula: "per(gross_profit, hours_worked)", Label: "Profit an hour"})
	if err != nil || got.Version != 2 || got.Unit != quantity.MoneyPerHour || text(got.UsedBy) != "[{kpi per_hour_year}]" {
		t.Fatalf("%+v %v", got, err)
	}
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"per_hour_year"}, Period: quantity.Period{From: day(t, "2026-03-01"), To: day(t, "2026-04-01")}})
	if err != nil || r.DefinitionVersions["per_hour_year"] != 1 || r.DefinitionVersions["per_hour"] != 2 {
		t.Errorf("%v %v", r, err)
	}
	versions, err := c.KPIVersions(t.Context(), acme, "per_hour")
	if err != nil || len(versions) != 2 || versions[1].Formula != "per(revenue, hours_worked)" {
		t.Errorf("%+v %v", versions, err)
	}
	for what, k := range map[string]struct {
		err  error
		kind fault.Kind
		says string
	}{
		"removing one that is used":   {c.RemoveKPI(t.Context(), acme, "per_hour"), fault.Conflict, "per_hour_year"},
		"a circle":                    {second(c.ChangeKPI(t.Context(), acme, metric.KPI{Name: "per_hour", Formula: "per_hour_year + per_hour_year"})), fault.Invalid, "itself"},
		"another of the same name":    {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "per_hour", Formula: "revenue"})), fault.Conflict, "already"},
		"a built-in name":             {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "revenue", Formula: "revenue"})), fault.Invalid, "built-in"},
		"a word of the language":      {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "months", Formula: "revenue"})), fault.Invalid, "word of the language"},
		"a name with capitals":        {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "Revenue2", Formula: "revenue"})), fault.Invalid, "small letters"},
		"an unknown measure":          {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "revenu * 2"})), fault.Invalid, `did you mean "revenue"`},
		"hours and money":             {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "revenue + hours_worked"})), fault.Invalid, "labor_cost_rate"},
		"a wrong unit":                {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "revenue / hours_worked", Unit: quantity.Money})), fault.Invalid, "money_per_hour"},
		"no measure":                  {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "1 + 2"})), fault.Invalid, "names no measure"},
		"an unknown function":         {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "lagg(revenue)"})), fault.Invalid, `did you mean "lag"`},
		"a dimension that is none":    {second(c.AddKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "hhi(revenue, customer)"})), fault.Invalid, "needs a dimension"},
		"one that is not there":       {second(c.KPI(t.Context(), acme, "nothing")), fault.NotFound, "no KPI"},
		"changing one that is not":    {second(c.ChangeKPI(t.Context(), acme, metric.KPI{Name: "x1", Formula: "revenue"})), fault.NotFound, "no kpi"},
		"a change that breaks a user": {second(c.ChangeKPI(t.Context(), acme, metric.KPI{Name: "per_hour", Formula: "hhi(revenue, client)"})), "", ""},
	} {
		if fault.KindOf(k.err) != k.kind && !(k.kind == "" && k.err == nil) || !strings.Contains(fault.Message(k.err)+text(fault.FieldsOf(k.err)), k.says) {
			t.Errorf("%s: got %s %v", what, fault.KindOf(k.err), k.err)
		}
	}
	if err := c.RemoveKPI(t.Context(), acme, "per_hour_year"); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveKPI(t.Context(), acme, "per_hour"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"per_hour"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("asked after it was removed: %v", err)
	}
	kpi(t, c, "per_hour", "revenue / hours_worked")
	if m, err := c.Lookup(t.Context(), acme, "per_hour"); err != nil || m.Version < 4 || !m.Custom {
		t.Errorf("defined again: %+v %v", m, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPreviewKeepsNothing(t *testing.T) {
	t.Parallel()
	c, w, store := defined(t)
	threeClients(t, w)
	p, err := c.PreviewKPI(t.Context(), acme, metric.KPI{Formula: "revenue / hours_worked"})
	if err != nil || p.Unit != quantity.MoneyPerHour || len(p.Months.Rows) != 12 || text(p.Months.Rows[11][1]) != "83.5" { // 167 / 2
		t.Fatalf("%+v %v", p, err)
	}
	if n, err := store.Revision(t.Context(), acme); n != 0 || err != nil {
		t.Errorf("revision %d %v", n, err)
	}
	if _, err := c.PreviewKPI(t.Context(), acme, metric.KPI{Formula: "revenue +"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "character") {
		t.Errorf("got %v", err)
	}
}

// What one tenant defines no other sees, also not through the caches.
func TestDefinitionsStayWithTheirTenant(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	kpi(t, c, "secret", "revenue * 2")
	if _, err := c.PutSegment(t.Context(), acme, metric.Segment{Name: "Secret", Dimension: "client", Where: "revenue > 1"}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutRule(t.Context(), acme, metric.Rule{Name: "Secret", Condition: "revenue > 1"}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetCalendar(t.Context(), acme, metric.Calendar{StartMonth: 7}); err != nil {
		t.Fatal(err)
	}
	ask(t, c, metric.Query{Measures: []string{"secret"}, Where: `segment = "Secret"`})
	for _, q := range []metric.Query{{Measures: []string{"secret"}}, {Measures: []string{"revenue"}, Where: `segment = "Secret"`}, {Measures: []string{"revenue"}, Dimensions: []string{"segment:Secret"}}} {
		if _, err := c.Run(t.Context(), globex, q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	kpis, _ := c.KPIs(t.Context(), globex)
	segments, _ := c.Segments(t.Context(), globex)
	rules, _ := c.Rules(t.Context(), globex)
	theirs, err := c.For(t.Context(), globex)
	if err != nil || len(kpis)+len(segments)+len(rules) != 0 || theirs.Calendar() != (metric.Calendar{}) {
		t.Errorf("%v %v %v %v %v", kpis, segments, rules, theirs.Calendar(), err)
	}
	if _, err := c.KPIVersions(t.Context(), globex, "secret"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("versions: %v", err)
	}
	if _, err := c.AddKPI(t.Context(), globex, metric.KPI{Name: "secret", Formula: "hours_worked"}); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Lookup(t.Context(), acme, "secret"); err != nil || m.Unit != quantity.Money {
		t.Errorf("%+v %v", m, err)
	}
}

func TestACachedAnswerIsNotThatOfAnOlderDefinition(t *testing.T) {
	t.Parallel()
	c, w, _ := defined(t)
	threeClients(t, w)
	kpi(t, c, "twice", "revenue * 2")
	q := metric.Query{Measures: []string{"twice"}, Period: quantity.MonthOf(day(t, "2026-04-01"))}
	if got := ask(t, c, q); got[0] != "330" {
		t.Fatal(got)
	}
	if _, err := c.ChangeKPI(t.Context(), acme, metric.KPI{Name: "twice", Formula: "revenue * 3"}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, q); got[0] != "495" {
		t.Error(got)
	}
}

func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	c, _, _ := defined(t)
	for _, bad := range []metric.Rule{
		{Name: "R", Condition: `client = "A"`}, {Name: "R", Condition: "revenue"}, {Name: "R", Condition: "revenue > 5", Dimension: "month"}, {Name: "", Condition: "revenue > 5"},
		{Name: "R", Condition: "revenue > 5", Then: "mail"}, {Name: "R", Condition: "revenue > 5", Months: 99}, {Name: "R", Condition: "revenue > 5", Where: "revenue > 5"}, {Name: "R", Condition: "revenue > 5", Money: "hours_worked"},
	} {
		if _, err := c.PutRule(t.Context(), acme, bad, true); fault.KindOf(err) != fault.Invalid || len(fault.FieldsOf(err)) == 0 {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
	kpi(t, c, "used", "revenue * 2")
	r, err := c.PutRule(t.Context(), acme, metric.Rule{Name: "R", Condition: "used > 5"}, true)
	if err != nil || r.Months != 1 || r.Then != metric.ThenFinding || r.Measure != "used" || r.Version != 1 || r.At != sampleClock().Truncate(time.Millisecond) {
		t.Errorf("%+v %v", r, err)
	}
	if err := c.RemoveKPI(t.Context(), acme, "used"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("removed although a rule uses it: %v", err)
	}
}
