package metric_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

func TestARestatementIsTheCorrectionToTheCent(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	invoices := func(second, more string) string {
		return `SELECT * FROM (VALUES ('Acme', DATE '2026-01-31', 3000.10), ('Acme', DATE '2026-02-28', ` + second + `), ('Bolt', DATE '2026-02-10', 400.0)` + more + `) v(client_key, invoice_date, net_amount)`
	}
	put(t, w, map[string]string{"invoices": invoices("2500.05", "")})
	before, err := w.Current(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, map[string]string{"invoices": invoices("2488.38", ", ('Bolt', DATE '2026-03-05', 10.0)"), "time_entries": `SELECT 'Acme' AS client_key, DATE '2026-02-02' AS work_date, 2.0 AS hours_worked, 'dana' AS staff_key`})
	restate := func(q metric.Query) *metric.Result {
		t.Helper()
		r, err := c.Restate(t.Context(), acme, q, before)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := restate(metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}})
	want := []string{"2026-01-01 | 3000.1 | 3000.1 | 0", "2026-02-01 | 2888.38 | 2900.05 | -11.67", "2026-03-01 | 10 | 0 | 10"}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(strings.Join(r.Notes, "; "), "_previous is the value in snapshot") {
		t.Errorf("notes %q do not say what _previous is", r.Notes)
	}
	// What has no data at all before is unknown there, not 0.
	hours := restate(metric.Query{Measures: []string{"hours_worked", "labor_cost_rate"}, Dimensions: []string{"client"}})
	got := lines(hours)
	for _, part := range []string{"Acme | 2 | (no time entries imported) | (no time entries imported) | ", " | (no time entries imported) | "} {
		if len(got) != 1 || !strings.Contains(got[0], part) {
			t.Errorf("got %q, want %q", got, part)
		}
	}
	if note := fmt.Sprintf("in snapshot %d: hours_worked: no time entries imported", before); !slices.Contains(hours.Notes, note) {
		t.Errorf("notes %q, want %q", hours.Notes, note)
	}
	// Order and limit hold for the rows of both sides.
	got = lines(restate(metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}, Order: []string{"revenue_change"}, Limit: 1}))
	if diff := cmp.Diff(want[1:2], got); diff != "" {
		t.Error(diff)
	}
	// The other way round the rows that only the older side lacks are there as well.
	now, err := w.Current(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.Restate(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Dimensions: []string{"month"}, Snapshot: before}, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2026-01-01 | 3000.1 | 3000.1 | 0", "2026-02-01 | 2900.05 | 2888.38 | 11.67", "2026-03-01 | 0 | 10 | -10"}, lines(back)); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []struct {
		q      metric.Query
		before int
		kind   fault.Kind
	}{
		{metric.Query{Measures: []string{"revenue"}, Compare: "previous", Period: period(t, "2026-02", "2026-03")}, int(before), fault.Invalid},
		{metric.Query{Measures: []string{"revenue"}}, 0, fault.Invalid},
		{metric.Query{Measures: []string{"revenue"}}, 999, fault.NotFound},
		{metric.Query{Measures: []string{"nonsense"}}, int(before), fault.Invalid},
	} {
		if _, err := c.Restate(t.Context(), acme, wrong.q, snapshot(wrong.before)); fault.KindOf(err) != wrong.kind {
			t.Errorf("%+v versus %d: got %v, want %s", wrong.q, wrong.before, err, wrong.kind)
		}
	}
}

func TestAllRowsBehindAreThoseOfThePages(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	put(t, w, map[string]string{"invoices": `SELECT 'Acme' AS client_key, DATE '2026-01-31' AS invoice_date, 1.5 + i AS net_amount FROM range(1500) r(i)`})
	all, err := c.AllRowsBehind(t.Context(), acme, metric.Query{Measures: []string{"revenue"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Rows) != 1500 || all.Next != 0 {
		t.Fatalf("%d rows, next %d", len(all.Rows), all.Next)
	}
	page, err := c.RowsBehind(t.Context(), acme, metric.Query{Measures: []string{"revenue"}}, 1000, 1000)
	if err != nil || len(page.Rows) != 500 {
		t.Fatalf("page: %v", err)
	}
	if diff := cmp.Diff(page.Rows, all.Rows[1000:]); diff != "" {
		t.Error(diff)
	}
	put(t, w, map[string]string{"invoices": `SELECT 'Acme' AS client_key, DATE '2026-01-31' AS invoice_date, 1.5 AS net_amount FROM range(100001) r(i)`})
	if _, err := c.AllRowsBehind(t.Context(), acme, metric.Query{Measures: []string{"revenue"}}); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("100,001 rows: %v, want TooLarge", err)
	}
}

func snapshot(n int) warehouse.Snapshot { return warehouse.Snapshot(n) }

func TestARestatementInAnotherCurrencyHasNoChange(t *testing.T) {
	t.Parallel()
	c, w := open(t)
	invoice := func(currency string) map[string]string {
		return map[string]string{"invoices": "SELECT 'Acme' AS client_key, DATE '2026-01-31' AS invoice_date, 100.0 AS net_amount, '" + currency + "' AS currency"}
	}
	put(t, w, invoice("EUR"))
	before, err := w.Current(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, invoice("USD"))
	for _, by := range [][]string{nil, {"client"}} {
		r, err := c.Restate(t.Context(), acme, metric.Query{Measures: []string{"revenue"}, Dimensions: by}, before)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(r)[0]; !strings.HasSuffix(got, "100 | 100 | (the amounts are in USD and were in EUR: have both converted (currency))") || r.Currency != "" {
			t.Errorf("by %v: got %s in %q", by, got, r.Currency)
		}
	}
}
