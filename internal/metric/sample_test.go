package metric_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

type noJobs struct{}

func (noJobs) Enqueue(context.Context, tenant.Scope, *metadb.Tx, string, any) error { return nil }

// sampleClock is the day after the sample's export.
func sampleClock() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// sampled returns a catalog over an imported sample of 8 clients and 6 months.
func sampled(t *testing.T) *metric.Catalog {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	dir := t.TempDir()
	if _, err := sample.MSP(dir, sample.MSPOptions{Clients: 8, Months: 6}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no sample files", err)
	}
	imports := dataset.New(w, db, audit.New(sampleClock), noJobs{}, sampleClock)
	for _, f := range files {
		if _, err := imports.Import(t.Context(), acme, dataset.ImportRequest{Path: f}); err != nil {
			t.Fatalf("%s: %v", filepath.Base(f), err)
		}
	}
	return metric.New(w, metric.Options{Now: sampleClock, Definitions: definition.New(db, audit.New(sampleClock), sampleClock)})
}

// rolledFacts are the base measures that roll-ups hold, by fact.
func rolledFacts(c *metric.Catalog) map[string][]string {
	facts := map[string][]string{}
	for _, m := range c.Measures() {
		if m.Fact == "time" || m.Fact == "invoices" {
			facts[m.Fact] = append(facts[m.Fact], m.Name)
		}
	}
	return facts
}

// crosses reports whether a question needs keys that no roll-up has together, or at all.
func crosses(c *metric.Catalog, q metric.Query) bool {
	named, _ := c.ParseWhere(q.Where)
	has := func(of ...string) bool {
		return slices.ContainsFunc(slices.Concat(q.Dimensions, named), func(d string) bool { return slices.Contains(of, d) })
	}
	if byWeek := has("week") || !q.Period.WholeMonths(); byWeek && (has("agreement", "work_type") || slices.Contains(rolledFacts(c)["invoices"], q.Measures[0])) {
		return true
	}
	return has("product") || has("staff", "team", "role") && has("client", "client_status", "industry", "account_manager", "cohort", "cohort_quarter", "agreement")
}

// same fails unless a question has the same answer with and without roll-ups, and the
// former reads a roll-up wherever one can answer.
func same(t interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}, ctx context.Context, scope tenant.Scope, rolled, base *metric.Catalog, q metric.Query) {
	t.Helper()
	a, err := rolled.Run(ctx, scope, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	b, err := base.Run(ctx, scope, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	isBase := func(s string) bool { return s == "time_entries" || s == "invoices" }
	if slices.ContainsFunc(a.Sources, isBase) != crosses(rolled, q) {
		t.Errorf("%+v reads %v", q, a.Sources)
	}
	if slices.ContainsFunc(b.Sources, func(s string) bool { return !isBase(s) }) {
		t.Errorf("without roll-ups %+v reads %v", q, b.Sources)
	}
	if diff := cmp.Diff(exact(b), exact(a)); diff != "" {
		t.Errorf("%+v: base (-) and roll-ups (+) differ:\n%s", q, diff)
	}
}

// exact is a result's rows with every decimal of every value.
func exact(r *metric.Result) [][]any {
	out := [][]any{}
	for i, row := range r.Rows {
		line := slices.Clone(row)
		for j, v := range line {
			if d, ok := v.(quantity.Decimal); ok {
				line[j] = d.String()
			}
			if v == nil {
				line[j] = r.Reasons[i][r.Columns[j].Name]
			}
		}
		out = append(out, line)
	}
	return out
}

// One import of the sample serves all of these.
func TestOnTheSample(t *testing.T) {
	t.Parallel()
	c := sampled(t)
	t.Run("roll-ups equal the base tables", func(t *testing.T) { rollupsEqualTheBaseTables(t, c) })
	t.Run("parts add up to the whole", func(t *testing.T) { partsAddUpToTheWhole(t, c) })
	t.Run("the bridge of recurring revenue balances", func(t *testing.T) { theBridgeBalancesOnTheSample(t, c) })
	t.Run("money is what plain SQL says", func(t *testing.T) { moneyEqualsPlainSQL(t, c) })
	t.Run("the books tie", func(t *testing.T) { theBooksOfTheSampleTie(t, c) })
	t.Run("totals equal plain SQL", func(t *testing.T) { totalsEqualPlainSQL(t, c) })
	t.Run("windows of agreements add up", func(t *testing.T) { windowsOfAgreementsAddUp(t, c) })
	t.Run("functions over time agree with plain questions", func(t *testing.T) { functionsAgree(t, c) })
	t.Run("the first and all others add up to the total", func(t *testing.T) { othersReconcile(t, c) })
	t.Run("rows behind every base measure add up to it", func(t *testing.T) { rowsBehindAddUp(t, c) })
}

func rollupsEqualTheBaseTables(t *testing.T, c *metric.Catalog) {
	base := metric.WithoutRollups(c)
	periods := []quantity.Period{{}, period(t, "2026-02", "2026-05"), period(t, "2026-06", ""), period(t, "2026-02-09", "2026-04-06")}
	t.Run("every pair of dimensions", func(t *testing.T) {
		for fact, measures := range rolledFacts(c) {
			m, err := c.Measure(measures[0])
			if err != nil {
				t.Fatal(err)
			}
			dims := slices.DeleteFunc(c.DimensionsOf(m), func(d string) bool { return d == "day" })
			if len(dims) < 10 {
				t.Fatalf("%s has only %v", fact, dims)
			}
			same(t, t.Context(), acme, c, base, metric.Query{Measures: measures})
			for i, d := range dims {
				same(t, t.Context(), acme, c, base, metric.Query{Measures: measures, Dimensions: []string{d}, Period: periods[i%len(periods)]})
				for j, e := range dims[:i] {
					same(t, t.Context(), acme, c, base, metric.Query{Measures: measures, Dimensions: []string{d, e}, Period: periods[(i+j)%len(periods)]})
				}
			}
		}
	})
	t.Run("any question", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { same(rt, t.Context(), acme, c, base, anyQuestion(rt, c, "time", "invoices")) })
	})
	t.Run("the first that answers is chosen", func(t *testing.T) {
		cases := []struct {
			measure, where string
			by             []string
			period         quantity.Period
			want           string
		}{
			{"hours_worked", "", []string{"month"}, quantity.Period{}, "rollup_time_staff"},
			{"hours_worked", "", []string{"team", "quarter"}, quantity.Period{}, "rollup_time_staff"},
			{"labor_cost", "", []string{"industry"}, quantity.Period{}, "rollup_time_client"},
			{"labor_cost", `client = "x"`, []string{"month"}, quantity.Period{}, "rollup_time_client"},
			{"labor_cost", `client = "x"`, []string{"staff"}, quantity.Period{}, "time_entries"},
			{"labor_cost", "", []string{"work_type"}, period(t, "2026-02", "2026-04"), "rollup_time_staff"},
			{"labor_cost", "", []string{"agreement", "work_type"}, period(t, "2026-02", "2026-04"), "rollup_time_client"},
			{"labor_cost", "", []string{"week"}, quantity.Period{}, "rollup_time_staff_week"},
			{"labor_cost", "", []string{"staff"}, period(t, "2026-02-09", "2026-02-16"), "rollup_time_staff_week"}, // Monday to Monday
			{"labor_cost", "week = 2026-02-09", []string{"client"}, quantity.Period{}, "rollup_time_client_week"},
			{"labor_cost", "", []string{"week", "client", "staff"}, quantity.Period{}, "time_entries"},
			{"labor_cost", "", []string{"week", "work_type"}, quantity.Period{}, "time_entries"},
			{"labor_cost", "", []string{"day"}, quantity.Period{}, "time_entries"},
			{"labor_cost", "day >= 2026-02-10", nil, quantity.Period{}, "time_entries"},
			{"labor_cost", "", []string{"client"}, period(t, "2026-02-10", "2026-03"), "time_entries"},
			{"revenue", "", []string{"revenue_category", "client"}, quantity.Period{}, "rollup_invoices"},
			{"revenue", "", []string{"product", "client"}, quantity.Period{}, "invoices"},
			{"revenue", "", []string{"day"}, quantity.Period{}, "invoices"},
			{"revenue_earned", "", []string{"month"}, quantity.Period{}, "invoices"},
		}
		for _, k := range cases {
			r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{k.measure}, Dimensions: k.by, Where: k.where, Period: k.period})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{k.want}, r.Sources); diff != "" {
				t.Errorf("%s by %v where %q in %s: %s", k.measure, k.by, k.where, k.period, diff)
			}
		}
	})
}

// anyQuestion draws a question for measures of a fact with roll-ups, by whole months or weeks.
func anyQuestion(rt *rapid.T, c *metric.Catalog, facts ...string) metric.Query {
	conditions := []string{"", `industry != "Legal"`, `month >= 2026-03`, `client contains "a" and month in [2026-02, 2026-04]`, `not (client startsWith "b")`, `currency = "USD" or agreement = "no agreement"`, `quarter = 2026-04`, `week >= 2026-03-02`}
	measures := rolledFacts(c)[rapid.SampledFrom(facts).Draw(rt, "fact")]
	m, _ := c.Measure(measures[0])
	dims := slices.DeleteFunc(c.DimensionsOf(m), func(d string) bool { return d == "day" })
	q := metric.Query{
		Measures:   rapid.SliceOfNDistinct(rapid.SampledFrom(measures), 1, len(measures), rapid.ID[string]).Draw(rt, "measures"),
		Dimensions: rapid.SliceOfNDistinct(rapid.SampledFrom(dims), 0, 5, rapid.ID[string]).Draw(rt, "by"),
		Where:      rapid.SampledFrom(conditions).Draw(rt, "where"),
	}
	from := rapid.IntRange(0, 5).Draw(rt, "from")
	first := quantity.NewDay(2026, 1, 1).AddMonths(from)
	q.Period = quantity.Period{From: first, To: first.AddMonths(rapid.IntRange(1, 6).Draw(rt, "months"))}
	if rapid.Bool().Draw(rt, "from a Monday") {
		q.Period.From = q.Period.From.AddDays(7 - (int(q.Period.From.Time().Weekday())+6)%7)
	}
	return q
}

func partsAddUpToTheWhole(t *testing.T, c *metric.Catalog) {
	p := period(t, "2026-02", "2026-05")
	facts := map[string][]*metric.Measure{}
	for _, m := range c.Measures() {
		if m.Base() {
			facts[m.Fact] = append(facts[m.Fact], m)
		}
	}
	for _, measures := range facts {
		for _, some := range slices.Collect(slices.Chunk(measures, 30)) {
			var names []string
			for _, m := range some {
				names = append(names, m.Name)
			}
			totals := sums(t, c, metric.Query{Measures: names, Period: p})
			for _, d := range c.DimensionsOf(some[0]) {
				if metric.Stock(c, some[0]) && slices.Contains([]string{"month", "quarter", "year", "fiscal_period", "fiscal_quarter", "fiscal_year"}, d) {
					continue // a stock is not added over time
				}
				for i, sum := range sums(t, c, metric.Query{Measures: names, Dimensions: []string{d}, Period: p}) {
					if !sum.Equal(totals[i]) {
						t.Errorf("%s by %s adds up to %s, the whole is %s", names[i], d, sum, totals[i])
					}
				}
			}
		}
	}
}

// sums are the sums of each measure over all rows of a result.
func sums(t *testing.T, c *metric.Catalog, q metric.Query) []quantity.Decimal {
	t.Helper()
	r, err := c.Run(t.Context(), acme, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	out := make([]quantity.Decimal, len(q.Measures))
	for _, row := range r.Rows {
		for i := range out {
			if v, ok := row[len(q.Dimensions)+i].(quantity.Decimal); ok {
				out[i] = out[i].Add(v)
			}
		}
	}
	return out
}

// asked is the sum of a measure over all rows of a result.
func asked(t *testing.T, c *metric.Catalog, q metric.Query) quantity.Decimal {
	t.Helper()
	return sums(t, c, q)[0]
}

func rowsBehindAddUp(t *testing.T, c *metric.Catalog) {
	for _, m := range c.Measures() {
		if !m.Base() {
			continue
		}
		q := metric.Query{Measures: []string{m.Name}, Period: period(t, "2026-05", "2026-06")}
		want := asked(t, c, q)
		var sum quantity.Decimal
		seen := map[string]bool{}
		for offset := 0; ; {
			page, err := c.RowsBehind(t.Context(), acme, q, offset, 1000)
			if err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			for _, r := range page.Rows {
				if len(r) != len(page.Columns) {
					t.Fatalf("%s: %d values in %d columns", m.Name, len(r), len(page.Columns))
				}
				switch v := r[len(r)-1].(type) {
				case quantity.Decimal:
					sum = sum.Add(v)
				case int64:
					sum = sum.Add(decimal.NewFromInt(v))
				default:
					t.Fatalf("%s: amount %T", m.Name, v)
				}
				if r[0] == "" || r[1] == nil {
					t.Errorf("%s: a row without its origin: %v", m.Name, r)
				}
				key := r[0].(string) + r[1].(string) + r[4].(string)
				if seen[key] {
					t.Errorf("%s: %s stands twice", m.Name, key)
				}
				seen[key] = true
			}
			if offset = page.Next; offset == 0 {
				break
			}
		}
		if !sum.Equal(want) {
			t.Errorf("%s: rows add up to %s, the number is %s", m.Name, sum, want)
		}
	}
}

// What agreements take from a day to another is what they take up to any day between and from it.
func windowsOfAgreementsAddUp(t *testing.T, c *metric.Catalog) {
	flows := []string{"agreement_product_cost", "agreement_product_value", "agreement_hour_budget"}
	first := quantity.NewDay(2026, 1, 1)
	rapid.Check(t, func(rt *rapid.T) {
		from := first.AddDays(rapid.IntRange(0, 100).Draw(rt, "from"))
		at := from.AddDays(rapid.IntRange(1, 40).Draw(rt, "days"))
		to := at.AddDays(rapid.IntRange(1, 40).Draw(rt, "more days"))
		by := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"agreement", "day", "week", "month"}), 0, 2, rapid.ID[string]).Draw(rt, "by")
		over := func(from, to quantity.Day) []quantity.Decimal {
			return sums(t, c, metric.Query{Measures: flows, Dimensions: by, Period: quantity.Period{From: from, To: to}})
		}
		whole, before, after := over(from, to), over(from, at), over(at, to)
		for i, name := range flows {
			if whole[i].Sign() <= 0 || !before[i].Add(after[i]).Equal(whole[i]) {
				rt.Errorf("%s by %v from %s to %s is %s, up to %s %s and then %s", name, by, from, to, whole[i], at, before[i], after[i])
			}
		}
	})
}
