package metric_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

var acme = tenant.Scope{Tenant: "acme", Actor: "test"}

// open returns a catalog over a fresh warehouse.
func open(t *testing.T) (*metric.Catalog, *warehouse.Warehouse) {
	t.Helper()
	return openAt(t, nil)
}

// openAt is open with a clock.
func openAt(t *testing.T, now func() time.Time) (*metric.Catalog, *warehouse.Warehouse) {
	t.Helper()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	w, err := warehouse.Open(t.Context(), db, t.TempDir(), warehouse.Schema{Tables: dataset.Tables(), Rollups: metric.Rollups()}, warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return metric.New(w, metric.Options{Now: now}), w
}

// put commits rows given as SELECTs of some of a table's columns; the others are null.
func put(t *testing.T, w *warehouse.Warehouse, rows map[string]string) {
	t.Helper()
	s, err := w.NewSession(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := warehouse.Change{Session: s, Kind: "import", Today: quantity.NewDay(2026, 6, 30)}
	for _, table := range dataset.Tables() {
		text, ok := rows[table.Name]
		if !ok {
			continue
		}
		given, err := s.Query(t.Context(), "DESCRIBE "+text)
		if err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		has := map[string]bool{}
		for _, r := range given.Rows {
			has[r[0].(string)] = true
		}
		var cols []string
		for _, col := range table.Columns {
			value := "NULL"
			switch {
			case has[col.Name]:
				value = "g." + warehouse.QuoteIdent(col.Name)
				delete(has, col.Name)
			case col.Name == "row_id":
				value = "md5(row_number() OVER () || '" + table.Name + "')::UUID"
			case col.Name == "source_system":
				value = "'test'"
			case col.Name == "source_id":
				value = "row_number() OVER ()"
			case col.Name == "record":
				value = "row_number() OVER ()"
			}
			cols = append(cols, fmt.Sprintf("(%s)::%s AS %s", value, col.Type, warehouse.QuoteIdent(col.Name)))
		}
		for name := range has {
			t.Fatalf("table %s has no column %s", table.Name, name)
		}
		if err := s.Exec(t.Context(), fmt.Sprintf("CREATE TABLE st_%s AS SELECT %s FROM (%s) g", table.Name, strings.Join(cols, ", "), text)); err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		c.Staged = append(c.Staged, warehouse.Staged{Table: table.Name, Relation: "st_" + table.Name})
	}
	if _, err := w.Commit(t.Context(), acme, c); err != nil {
		t.Fatal(err)
	}
}

// ask runs a query and returns the rows as text.
func ask(t *testing.T, c *metric.Catalog, q metric.Query) []string {
	t.Helper()
	r, err := c.Run(t.Context(), acme, q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return lines(r)
}

func lines(r *metric.Result) []string {
	out := []string{}
	for i, row := range r.Rows {
		cells := make([]string, len(row))
		for j, v := range row {
			switch v := v.(type) {
			case nil:
				cells[j] = "(" + r.Reasons[i][r.Columns[j].Name] + ")"
			case quantity.Decimal:
				cells[j] = v.Round(6).String()
			default:
				cells[j] = fmt.Sprint(v)
			}
		}
		out = append(out, strings.Join(cells, " | "))
	}
	return out
}

func period(t *testing.T, from, to string) quantity.Period {
	t.Helper()
	p, err := quantity.ParsePeriod(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// small is two clients over two months, with everything that formulas need.
func small(t *testing.T, w *warehouse.Warehouse) {
	put(t, w, map[string]string{
		"clients": "SELECT unnest(['Acme', 'Bolt']) AS client_key, unnest(['Legal', 'Retail']) AS industry, 'active' AS status",
		"aliases": "SELECT 'client' AS kind, 'ACME Inc' AS key, 'Acme' AS canonical",
		"people":  "SELECT unnest(['p_1', 'p_2']) AS person_key, 'staff' AS kind, unnest(['Ann', 'Bob']) AS name",
		"staff":   "SELECT * FROM (VALUES ('p_1', NULL::DATE, 50.0, 'Desk'), ('p_1', DATE '2026-02-01', 54.0, 'Desk'), ('p_2', NULL, 40.0, 'Field')) v(staff_key, valid_from, cost_rate, team)",
		"invoices": `SELECT * FROM (VALUES ('Acme', DATE '2026-01-31', 3000.0, 'recurring_labor', 'sent', 'A1'), ('ACME Inc', DATE '2026-02-28', 3000.0, 'recurring_labor', 'paid', 'A1'),
			('Bolt', DATE '2026-02-10', 500.0, 'hardware', 'sent', NULL), ('Bolt', DATE '2026-02-11', 999.0, 'hardware', 'void', NULL), ('Bolt', DATE '2026-02-12', -100.0, NULL, 'sent', NULL)) v(client_key, invoice_date, net_amount, revenue_category, status, agreement_id)`,
		"time_entries": `SELECT * FROM (VALUES ('Acme', 'p_1', DATE '2026-01-15', 20.0, true, 150.0), ('Acme', 'p_1', DATE '2026-02-02', 10.0, true, 150.0), ('ACME Inc', 'p_2', DATE '2026-02-03', 5.0, false, NULL),
			('Bolt', 'p_2', DATE '2026-02-03', 2.0, NULL, 100.0), (NULL, 'p_2', DATE '2026-02-04', 1.0, false, NULL)) v(client_key, staff_key, work_date, hours_worked, billable, bill_rate)`,
		"expenses": "SELECT * FROM (VALUES ('Acme', DATE '2026-01-20', 700.0, 'cogs_product', 'Pax8'), ('Acme', DATE '2026-01-21', 80.0, 'opex', 'Pax8')) v(client_key, expense_date, net_amount, category, vendor)",
	})
}

func TestMeasuresByClientAddUpAcrossFacts(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	got := ask(t, c, metric.Query{Measures: []string{"revenue", "labor_cost", "direct_cost", "gross_profit", "gross_margin"}, Dimensions: []string{"client"}})
	want := []string{
		"Acme | 6000 | 1740 | 700 | 3560 | 0.593333", // labor 20x50 + 10x54 + 5x40
		"Bolt | 400 | 80 | 0 | 320 | 0.8",
		"unassigned | 0 | 40 | 0 | -40 | (revenue is zero)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheGoldenAgreementMargin(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{ // domain.md 7.2: fee 3,000; 20 h x 52; vendor 700 -> 1,260; 42.0 %
		"staff":        "SELECT 'p_1' AS staff_key, 52.0 AS cost_rate",
		"invoices":     "SELECT 'Acme' AS client_key, DATE '2026-01-31' AS invoice_date, 3000.0 AS net_amount",
		"time_entries": "SELECT 'Acme' AS client_key, 'p_1' AS staff_key, DATE '2026-01-15' AS work_date, 20.0 AS hours_worked",
		"expenses":     "SELECT 'Acme' AS client_key, DATE '2026-01-15' AS expense_date, 700.0 AS net_amount, 'cogs_product' AS category",
	})
	got := ask(t, c, metric.Query{Measures: []string{"gross_profit", "gross_margin", "effective_hourly_rate"}})
	if diff := cmp.Diff([]string{"1260 | 0.42 | 115"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRollupsAndRowsGiveTheSameSums(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	measures := []string{"revenue", "recurring_revenue", "labor_cost", "hours_worked", "billable_hours", "hours_without_cost", "shadow_billable"}
	for _, dims := range [][]string{nil, {"client"}, {"month"}, {"client", "month"}, {"industry", "quarter"}} {
		for _, p := range []quantity.Period{{}, period(t, "2026-01", "2026-02"), period(t, "2026-02", "2026-03")} {
			rolled, err := c.Run(t.Context(), acme, metric.Query{Measures: measures, Dimensions: dims, Period: p})
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(rolled.Sources, "time_entries") || slices.Contains(rolled.Sources, "invoices") {
				t.Errorf("by %v in %v: read %v, want roll-ups only", dims, p, rolled.Sources)
			}
			// A condition on days is true for all rows and forces the base tables.
			base, err := c.Run(t.Context(), acme, metric.Query{Measures: measures, Dimensions: dims, Period: p, Where: "day >= 1900-01-01"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(base.Sources, "time_entries") {
				t.Errorf("read %v, want the base tables", base.Sources)
			}
			if diff := cmp.Diff(lines(base), lines(rolled)); diff != "" {
				t.Errorf("by %v in %v: rows (-) and roll-ups (+) differ:\n%s", dims, p, diff)
			}
		}
	}
}

func TestFiltersFollowAliasesAndBindValues(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	cases := []struct{ where, want string }{
		{`client = "Acme"`, "6000"},
		{`client == 'Acme' and month >= 2026-02`, "3000"},
		{`industry in ("Retail", "Legal")`, "6400"},
		{`not (client = "Acme")`, "400"},
		{`client != "Acme"`, "400"},
		{`client contains "OL"`, "400"},
		{`client = "x'; DROP TABLE invoices; --"`, "0"},
	}
	for _, k := range cases {
		if got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Where: k.where}); got[0] != k.want {
			t.Errorf("%s: got %v, want %s", k.where, got, k.want)
		}
	}
}

func TestWrongQueriesSayWhatIsAllowed(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	cases := []struct {
		name string
		q    metric.Query
		text string
	}{
		{"unknown measure", metric.Query{Measures: []string{"revenu"}}, `did you mean "revenue"?`},
		{"unknown dimension", metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"clint"}}, `did you mean "client"?`},
		{"measure not cut by dimension", metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"staff"}}, "revenue cannot be cut by staff"},
		{"no measure", metric.Query{}, "at least one measure"},
		{"absurd limit", metric.Query{Measures: []string{"revenue"}, Limit: 1 << 40}, "limit"},
		{"broken filter", metric.Query{Measures: []string{"revenue"}, Where: `client = `}, "cannot be read"},
		{"function in a filter", metric.Query{Measures: []string{"revenue"}, Where: `len(client) > 2`}, "not valid"},
		{"text compared as date", metric.Query{Measures: []string{"revenue"}, Where: `client < "a"`}, "not valid"},
		{"unknown order", metric.Query{Measures: []string{"revenue"}, Order: []string{"margin"}}, "cannot order"},
		{"unknown snapshot", metric.Query{Measures: []string{"revenue"}, Snapshot: 999}, "does not exist"},
		{"comparison by month", metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}, Compare: "previous", Period: period(t, "2026-02", "2026-03")}, "cannot be cut by time"},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) {
			_, err := c.Run(t.Context(), acme, k.q)
			kind := fault.KindOf(err)
			all := fault.Message(err)
			for _, f := range fault.FieldsOf(err) {
				all += " " + f.Path + " " + f.Message
			}
			if kind != fault.Invalid && kind != fault.NotFound || !strings.Contains(all, k.text) {
				t.Errorf("got %s %q, want a message with %q", kind, all, k.text)
			}
		})
	}
}

func TestComparisonWithThePreviousPeriod(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"client"}, Compare: "previous", Period: period(t, "2026-02", "2026-03")})
	want := []string{"Acme | 3000 | 3000 | 0", "Bolt | 400 | 0 | 400"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRowsBehindANumberAddUpToIt(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	for _, m := range []string{"revenue", "labor_cost", "hours_worked", "direct_cost", "billable_hours"} {
		q := metric.Query{Measures: []string{m}, Where: `client = "Acme"`, Period: period(t, "2026-01", "2026-03")}
		total := ask(t, c, q)[0]
		var sum quantity.Decimal
		for offset := 0; ; {
			page, err := c.RowsBehind(t.Context(), acme, q, offset, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				sum = sum.Add(r[len(r)-1].(quantity.Decimal))
			}
			if offset = page.Next; offset == 0 {
				break
			}
		}
		if sum.Round(6).String() != total {
			t.Errorf("%s: rows add up to %s, the number is %s", m, sum, total)
		}
	}
}

func TestRowsBehindANumberNameWhatTheSourceCallsThem(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"invoices":     "SELECT * FROM (VALUES (DATE '2026-01-31', 300.0, 'INV_7', 'line-1'), (DATE '2026-01-30', 200.0, 'INV_8', 'Acme' || chr(31) || 'INV_8')) v(invoice_date, net_amount, invoice_number, source_id)",
		"time_entries": "SELECT * FROM (VALUES (DATE '2026-01-15', 3.0, 'T-1'), (DATE '2026-01-16', 2.0, 'psa' || chr(31) || 'made of several'), (DATE '2026-01-17', 1.0, NULL)) v(work_date, hours_worked, source_id)",
	})
	for measure, want := range map[string]string{"revenue": "[INV_7 INV_8]", "hours_worked": "[T-1 <nil> <nil>]"} {
		page, err := c.RowsBehind(t.Context(), acme, metric.Query{Measures: []string{measure}}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, r := range page.Rows {
			got = append(got, r[slices.Index(page.Columns, "number")])
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", measure, got, want)
		}
	}
}

func TestCapacityAndUtilization(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	// domain.md 7.2: 21 weekdays, 1 holiday, 2 leave days, 8 h; 108 billable, 132 worked -> 144; 75.0 %; 91.7 %.
	put(t, w, map[string]string{
		"staff":        "SELECT 'p_1' AS staff_key, 40.0 AS weekly_hours, DATE '2024-01-01' AS hired_on",
		"holidays":     "SELECT DATE '2026-10-12' AS date, 'Day' AS name",
		"time_off":     "SELECT 'p_1' AS staff_key, unnest([DATE '2026-10-14', DATE '2026-10-15']) AS date",
		"time_entries": "SELECT 'p_1' AS staff_key, DATE '2026-10-05' AS work_date, unnest([108.0, 24.0]) AS hours_worked, unnest([true, false]) AS billable",
	})
	// October 2026 has 22 weekdays; the vector's month has 21, so one more day of leave.
	put(t, w, map[string]string{"time_off": "SELECT 'p_1' AS staff_key, unnest([DATE '2026-10-14', DATE '2026-10-15', DATE '2026-10-16']) AS date"})
	got := ask(t, c, metric.Query{Measures: []string{"capacity_hours", "billable_utilization", "utilization"}, Period: period(t, "2026-10", "2026-11")})
	if diff := cmp.Diff([]string{"144 | 0.75 | 0.916667"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLicenseWasteAndMonthFactors(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	// domain.md 7.2: bought 50, assigned 44, inactive 7, 22 a month -> waste 13 (26 %), 3,432 a year.
	put(t, w, map[string]string{"licenses": `SELECT * FROM (VALUES ('Acme', 'M365', 50.0, 44.0, 7.0, 22.0, 'monthly', 'active', false), ('Acme', 'Backup', 10.0, 12.0, NULL, 120.0, 'yearly', 'active', false),
		('Acme', 'Old', 10.0, 0.0, NULL, 5.0, 'monthly', 'cancelled', false), ('Acme', 'Viral', 999.0, 1.0, NULL, 5.0, 'monthly', 'active', true)) v(client_key, product_name, seats_purchased, seats_used, seats_inactive, unit_cost, billing_cycle, status, is_free_or_trial)`})
	got := ask(t, c, metric.Query{Measures: []string{"seats_purchased", "wasted_seats", "license_waste", "overdeploy_exposure"}, Dimensions: []string{"product"}})
	want := []string{"Backup | 10 | 0 | 0 | 20", "M365 | 50 | 13 | 286 | 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if 286*12 != 3432 {
		t.Error("a year of waste is 3,432")
	}
}

func TestMonthlyRecurringRevenueByCycle(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"agreements":          `SELECT unnest(['weekly', 'two-weekly', 'four-weekly', 'monthly', 'quarterly', 'yearly']) AS billing_cycle, unnest(['w', 't', 'f', 'm', 'q', 'y']) AS client_key, unnest(['w', 't', 'f', 'm', 'q', 'y']) AS agreement_id, 1.0 AS amount, DATE '2026-01-01' AS start_date`,
		"agreement_additions": `SELECT 'm' AS client_key, 'm' AS agreement_id, unnest(['Seat', 'Forced']) AS product_name, unnest([5.0, 1.0]) AS quantity, unnest([2.0, 0.0]) AS included_quantity, unnest([10.0, 0.0]) AS unit_price, unnest([8.0, 70.0]) AS unit_cost`,
	})
	got := ask(t, c, metric.Query{Measures: []string{"mrr", "product_value"}, Dimensions: []string{"client"}, Period: period(t, "2026-01", "2026-02")})
	want := []string{"f | 1.083333 | 0", "m | 31 | 130", "q | 0.333333 | 0", "t | 2.166667 | 0", "w | 4.333333 | 0", "y | 0.083333 | 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConcentrationDSOAndEarnedRevenue(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"invoices": `SELECT unnest(['a', 'b', 'c', 'd', 'e']) AS client_key, unnest([40.0, 25.0, 15.0, 10.0, 10.0]) AS net_amount, DATE '2026-01-15' AS invoice_date, DATE '2026-01-01' AS service_period_start, DATE '2026-02-28' AS service_period_end`,
		"payments": `SELECT 'a' AS client_key, DATE '2026-01-20' AS payment_date, 75.0 AS amount`,
	})
	got := ask(t, c, metric.Query{Measures: []string{"client_concentration", "receivables", "dso"}, Period: period(t, "2026-01", "2026-02")})
	if diff := cmp.Diff([]string{"0.265 | 25 | 7.75"}, got); diff != "" { // domain.md 7.2: HHI 0.265; 25 / 100 x 31 days
		t.Error(diff)
	}
	got = ask(t, c, metric.Query{Measures: []string{"revenue_earned"}, Dimensions: []string{"month"}})
	if diff := cmp.Diff([]string{"2026-01-01 | 52.542373", "2026-02-01 | 47.457627"}, got); diff != "" { // 31 and 28 of 59 days
		t.Error(diff)
	}
}

func TestColumnsThatNoFieldTakesCanBeFilteredOn(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"time_entries": `SELECT 'a' AS client_key, DATE '2026-01-10' AS work_date, * FROM (VALUES (1.0, '{"Region": "North", "it''s \u00e9": "x"}'), (2.0, '{"Region": "South"}'), (4.0, NULL)) t(hours_worked, attributes)`,
		"invoices":     `SELECT 'a' AS client_key, DATE '2026-01-10' AS invoice_date, 100.0 AS net_amount, '{"Region": "North"}' AS attributes`,
	})
	for filter, want := range map[string]string{
		`attribute["Region"] = "North"`:                           "1",
		`attribute.Region in ["North", "South"]`:                  "3",
		`attribute["Region"] != "North"`:                          "6",
		`attribute["Region"] = ""`:                                "4",
		`attribute["Region"] startsWith "S" or client = "nobody"`: "2",
		`attribute["it's é"] = "x"`:                               "1",
		`attribute["none such"] = "North"`:                        "–",
	} {
		got := ask(t, c, metric.Query{Measures: []string{"hours_worked"}, Where: filter})
		if want == "–" && (len(got) == 0 || got[0] == "0" || strings.Contains(got[0], "no")) {
			continue
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, want %s", filter, got, want)
		}
	}
	got := ask(t, c, metric.Query{Measures: []string{"hours_worked", "revenue"}, Where: `attribute["Region"] = "North"`, Dimensions: []string{"month"}})
	if diff := cmp.Diff([]string{"2026-01-01 | 1 | 100"}, got); diff != "" {
		t.Error(diff)
	}
	for filter, measure := range map[string]string{`attribute["a\"b"] = "x"`: "hours_worked", `attribute = "x"`: "hours_worked", `other["x"] = "y"`: "hours_worked", `attribute["Region"] < 3`: "hours_worked", `attribute["Region"] = "North"`: "capacity_hours", `attribute.Region = "North"`: "agreement_product_cost"} {
		if _, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{measure}, Where: filter}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s of %s: got %v, want an invalid fault", filter, measure, err)
		}
	}
}

func TestOnlyMoneyThatCameAndStayedIsReceived(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"invoices": `SELECT 'a' AS client_key, 500.0 AS net_amount, DATE '2026-01-10' AS invoice_date`,
		"payments": `SELECT 'a' AS client_key, DATE '2026-01-20' AS payment_date, * FROM (VALUES (100.0, 'Paid', 0.0), (100.0, 'Paid', 30.0), (100.0, 'Failed', NULL), (100.0, 'Refunded', NULL), (100.0, 'Refunded', 100.0), (100.0, NULL, NULL), (100.0, 'pending', NULL)) p(amount, status, refunded_amount)`,
	})
	got := ask(t, c, metric.Query{Measures: []string{"payments_received", "receivables"}, Period: period(t, "2026-01", "2026-02")})
	if diff := cmp.Diff([]string{"270 | 230"}, got); diff != "" { // 100 + 70 + 100; 500 - 270
		t.Error(diff)
	}
}

func TestAmountsOfTwoCurrenciesAreNotAdded(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{"invoices": "SELECT 'a' AS client_key, DATE '2026-01-15' AS invoice_date, unnest([10.0, 20.0]) AS net_amount, unnest(['USD', 'EUR']) AS currency"})
	if got := ask(t, c, metric.Query{Measures: []string{"revenue"}}); !strings.Contains(got[0], "amounts are in EUR and USD") {
		t.Errorf("got %v, want a reason", got)
	}
	got := ask(t, c, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"currency"}})
	if diff := cmp.Diff([]string{"EUR | 20", "USD | 10"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEachRowNamesTheCurrencyOfItsAmounts(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{"invoices": `SELECT * FROM (VALUES
		('a', DATE '2026-01-15', 10.0, 'USD'), ('a', DATE '2026-02-15', 11.0, 'USD'),
		('b', DATE '2026-02-15', 20.0, 'EUR'),
		('c', DATE '2026-02-15', 30.0, 'EUR'), ('c', DATE '2026-02-16', 40.0, 'USD'),
		('d', DATE '2026-01-15', 50.0, 'USD')) t(client_key, invoice_date, net_amount, currency)`})
	for _, q := range []metric.Query{
		{Measures: []string{"hours_worked", "revenue"}, Dimensions: []string{"client"}, Order: []string{"client"}},
		{Measures: []string{"hours_worked", "revenue"}, Dimensions: []string{"client"}, Order: []string{"client"}, Compare: "previous", Period: period(t, "2026-02", "2026-03")},
	} {
		for limit, want := range map[int][][]string{0: {{"", "USD"}, {"", "EUR"}, {"", "EUR USD"}, {"", "USD"}}, 2: {{"", "USD"}, {"", "EUR"}}} {
			q.Limit = limit
			r, err := c.Run(t.Context(), acme, q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, r.Currencies); diff != "" || r.Currency != "" {
				t.Errorf("compare %q, limit %d: one currency %q, by row (-want +got):\n%s", q.Compare, limit, r.Currency, diff)
			}
		}
	}
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Where: `client = "b"`})
	if err != nil || r.Currency != "EUR" || r.Currencies != nil {
		t.Errorf("of one client: %q %v %v, want EUR alone", r.Currency, r.Currencies, err)
	}
}

func TestAmountsThatNameNoCurrencyAreInTheOnlyOneNamed(t *testing.T) {
	t.Parallel()
	unnamed := "SELECT 'a' AS client_key, DATE '2026-01-20' AS payment_date, 5.0 AS amount, 'Paid' AS status"
	invoices := "SELECT 'a' AS client_key, DATE '2026-01-15' AS invoice_date, unnest([10.0, 20.0]) AS net_amount, unnest(%s) AS currency"
	expenses := "SELECT 'a' AS client_key, DATE '2026-01-15' AS expense_date, 10.0 AS net_amount, %s AS currency"
	for name, c := range map[string]struct{ invoices, expenses, want string }{
		"one":                           {"['USD', 'USD']", "NULL", "USD"},
		"one, some of the rows":         {"['USD', NULL]", "NULL", "USD"},
		"one, by expenses only":         {"[NULL, NULL]", "'CHF'", "CHF"},
		"two among invoices":            {"['USD', 'EUR']", "NULL", ""},
		"invoices in one, expenses not": {"['USD', 'USD']", "'EUR'", ""},
		"none":                          {"[NULL, NULL]", "NULL", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catalog, w := open(t)
			put(t, w, map[string]string{"payments": unnamed, "invoices": fmt.Sprintf(invoices, c.invoices), "expenses": fmt.Sprintf(expenses, c.expenses)})
			for _, q := range []metric.Query{{Measures: []string{"payments_received"}}, {Measures: []string{"payments_received", "invoice_line_count"}, Dimensions: []string{"client"}}, {Measures: []string{"payments_received"}, Compare: "previous", Period: period(t, "2026-01", "2026-02")}} {
				r, err := catalog.Run(t.Context(), acme, q)
				if err != nil || r.Currency != c.want || r.Currencies != nil {
					t.Fatalf("%q by %q: %+v, want %q (%v)", q.Measures, q.Dimensions, r, c.want, err)
				}
			}
			r, err := catalog.Run(t.Context(), acme, metric.Query{Measures: []string{"invoice_line_count"}})
			if err != nil || r.Currency != "" {
				t.Errorf("a count is in %q (%v)", r.Currency, err)
			}
			house, mixed, err := catalog.House(t.Context(), acme, 0)
			if err != nil || house != c.want || mixed != strings.Contains(c.invoices+c.expenses, "EUR") {
				t.Errorf("the house's is %q, %v, want %q (%v)", house, mixed, c.want, err)
			}
			// As the firm says where its data says nothing.
			book, err := catalog.Definitions(t.Context(), acme)
			if err != nil {
				t.Fatal(err)
			}
			said := catalog.As(book, metric.Frozen{Unnamed: "NOK"}, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
			r, err = said.Run(t.Context(), acme, metric.Query{Measures: []string{"payments_received"}})
			if want := map[bool]string{true: "NOK", false: c.want}[name == "none"]; err != nil || r.Currency != want {
				t.Errorf("with a currency for the rest: in %q, want %q (%v)", r.Currency, want, err)
			}
		})
	}
}

func TestAmountsThatNameNoCurrencyAreConvertedFromTheOnlyOneNamed(t *testing.T) {
	t.Parallel()
	tables := map[string]string{
		"invoices": "SELECT 'a' AS client_key, DATE '2026-01-15' AS invoice_date, 10.0 AS net_amount, 'USD' AS currency",
		"payments": "SELECT 'a' AS client_key, DATE '2026-01-20' AS payment_date, 5.0 AS amount, 'Paid' AS status",
	}
	q := metric.Query{Measures: []string{"payments_received"}, Currency: "EUR"}
	c, w := open(t)
	put(t, w, tables)
	if got := ask(t, c, q); len(got) != 1 || !strings.Contains(got[0], "no exchange rate from USD to EUR") {
		t.Errorf("without a rate: %q", got)
	}
	q.Currency = "USD"
	if diff := cmp.Diff([]string{"5"}, ask(t, c, q)); diff != "" {
		t.Error(diff)
	}
	tables["exchange_rates"] = "SELECT DATE '2026-01-01' AS date, 'USD' AS from_currency, 'EUR' AS to_currency, 0.5 AS rate"
	c, w = open(t)
	put(t, w, tables)
	q.Currency = "EUR"
	if diff := cmp.Diff([]string{"2.5"}, ask(t, c, q)); diff != "" {
		t.Error(diff)
	}
	r, err := c.Run(t.Context(), acme, q)
	if err != nil || r.Currency != "EUR" || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "those that name no currency are in USD") }) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestEveryMeasureAnswersByEveryDimensionItAllows(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	small(t, w)
	for _, m := range c.Measures() {
		for _, d := range append(c.DimensionsOf(m), "") {
			q := metric.Query{Measures: []string{m.Name}, Period: period(t, "2026-01", "2026-03")}
			if d != "" {
				q.Dimensions = []string{d}
			}
			if _, err := c.Run(t.Context(), acme, q); err != nil {
				t.Errorf("%s by %q: %v", m.Name, d, err)
			}
		}
	}
}

func TestWithoutDataNumbersAreNullWithAReason(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"gross_margin", "direct_cost"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(r); len(got) != 1 || got[0] != "(no invoices imported) | 0" {
		t.Errorf("got %v", got)
	}
}

func TestLargeAmountsDoNotOverflow(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{
		"staff":               "SELECT 'p_1' AS staff_key, 99999.5 AS cost_rate, 99999.5 AS bill_rate",
		"time_entries":        "SELECT 'a' AS client_key, 'p_1' AS staff_key, DATE '2026-01-15' AS work_date, 9999.0 AS hours_worked, 2.5 AS cost_multiplier",
		"licenses":            "SELECT 'a' AS client_key, 'x' AS product_name, 1000000.0 AS seats_purchased, 0.0 AS seats_used, 99999.0 AS unit_cost, 'yearly' AS billing_cycle",
		"agreements":          "SELECT 'a' AS client_key, 'A' AS agreement_id, 999999999.0 AS amount, 'quarterly' AS billing_cycle",
		"agreement_additions": "SELECT 'a' AS client_key, 'A' AS agreement_id, 'x' AS product_name, 1000000.0 AS quantity, 99999.0 AS unit_price, 50000.0 AS unit_cost, 'yearly' AS billing_cycle",
	})
	got := ask(t, c, metric.Query{Measures: []string{"labor_cost", "shadow_billable", "license_waste", "mrr", "product_value"}})
	want := []float64{9999 * 99999.5 * 2.5, 9999 * 99999.5, 1e6 * 99999 / 12, 999999999.0/3 + 1e6*99999/12}
	cells := strings.Split(got[0], " | ")
	for i, x := range want {
		var v float64
		if _, err := fmt.Sscan(cells[i], &v); err != nil || v < x-1 || v > x+1 {
			t.Errorf("cell %d: got %s, want %.2f", i, cells[i], x)
		}
	}
}
