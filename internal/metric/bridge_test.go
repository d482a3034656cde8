package metric_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

var bridge = []string{"mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_end", "mrr"}

// balanced fails unless every row of a bridge balances and ends at mrr.
func balanced(t *testing.T, q metric.Query, run func(metric.Query) (*metric.Result, error)) int {
	t.Helper()
	q.Measures = bridge
	r, err := run(q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	for i, row := range r.Rows {
		v := map[string]quantity.Decimal{}
		for j, m := range bridge {
			d, ok := row[len(q.Dimensions)+j].(quantity.Decimal)
			if !ok {
				t.Fatalf("%v: %v", row, r.Reasons[i])
			}
			if v[m] = d; d.Sign() < 0 {
				t.Fatalf("%+v: %s of %v is negative: %s", q, m, row[:len(q.Dimensions)], d)
			}
		}
		end := v["mrr_start"].Add(v["mrr_new"]).Add(v["mrr_reactivation"]).Add(v["mrr_expansion"]).Sub(v["mrr_contraction"]).Sub(v["mrr_churn"])
		if !end.Equal(v["mrr_end"]) || !end.Equal(v["mrr"]) {
			t.Fatalf("%+v: %v does not balance: %s, end %s, mrr %s", q, row[:len(q.Dimensions)], end, v["mrr_end"], v["mrr"])
		}
	}
	return len(r.Rows)
}

// anyAgreements are agreements and additions of 40 clients as VALUES, one of them under two
// names.
var anyAgreements = rapid.Custom(func(rt *rapid.T) [2]string {
	day := func(name string, from, to int) string {
		if rapid.IntRange(0, 3).Draw(rt, name+" none") == 0 {
			return "NULL::DATE"
		}
		return fmt.Sprintf("DATE '%s'", quantity.NewDay(2026, 1, 1).AddDays(rapid.IntRange(from, to).Draw(rt, name)))
	}
	agreements, additions := []string{}, []string{"('none', 0.0, 0.0, 0.37, NULL, NULL)"}
	for i := range 150 {
		agreements = append(agreements, fmt.Sprintf("('c%d', 'A-%d', %d.%02d, '%s', '%s', %s, %s, %s)", rapid.IntRange(1, 40).Draw(rt, "client"), i, rapid.IntRange(0, 900).Draw(rt, "amount"), rapid.IntRange(0, 99).Draw(rt, "cents"),
			rapid.SampledFrom([]string{"monthly", "quarterly", "yearly", "weekly"}).Draw(rt, "cycle"), rapid.SampledFrom([]string{"active", "active", "cancelled"}).Draw(rt, "status"), day("start", -200, 180), day("end", -100, 200), day("cancel", 0, 400)))
		if rapid.Bool().Draw(rt, "has additions") {
			additions = append(additions, fmt.Sprintf("('A-%d', %d.0, %d.0, %d.37, %s, %s)", i, rapid.IntRange(0, 9).Draw(rt, "quantity"), rapid.IntRange(0, 3).Draw(rt, "included"), rapid.IntRange(0, 90).Draw(rt, "price"), day("effective", -100, 180), day("cancelled", 0, 200)))
		}
	}
	return [2]string{strings.Join(agreements, ", "), strings.Join(additions, ", ")}
})

func TestTheBridgeBalancesForAnyAgreements(t *testing.T) {
	t.Parallel()
	moved := map[string]bool{}
	for seed := range 3 {
		some := anyAgreements.Example(seed)
		c, w := openAt(t, nil)
		put(t, w, map[string]string{
			"aliases":             "SELECT 'client' AS kind, 'c4' AS key, 'c1' AS canonical",
			"invoices":            "SELECT * FROM (VALUES (DATE '2026-01-10', 1.0), (DATE '2026-06-30', 1.0)) v(invoice_date, net_amount)",
			"agreements":          "SELECT agreement_id AS agreement_name, * FROM (VALUES " + some[0] + ") v(client_key, agreement_id, amount, billing_cycle, status, start_date, end_date, cancelled_on)",
			"agreement_additions": "SELECT 'seats' AS product_name, * FROM (VALUES " + some[1] + ") v(agreement_id, quantity, included_quantity, unit_price, effective_date, cancelled_date)",
		})
		run := func(q metric.Query) (*metric.Result, error) { return c.Run(t.Context(), acme, q) }
		p := quantity.Period{From: quantity.NewDay(2026, 1, 1).AddMonths(seed), To: quantity.NewDay(2026, 7, 1)}
		for _, by := range [][]string{nil, {"month"}, {"client"}, {"client", "month"}, {"quarter"}} {
			balanced(t, metric.Query{Dimensions: by, Period: p}, run)
		}
		// By agreement a start, the moves and an end add up as well; a move of an agreement
		// may be the other way round than its client's.
		r, err := run(metric.Query{Measures: bridge[:7], Dimensions: []string{"agreement", "month"}, Period: p})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			v := func(i int) quantity.Decimal { d, _ := row[2+i].(quantity.Decimal); return d }
			if end := v(0).Add(v(1)).Add(v(2)).Add(v(3)).Sub(v(4)).Sub(v(5)); !end.Equal(v(6)) {
				t.Fatalf("%v does not balance", row)
			}
			for i, m := range bridge[:7] {
				moved[m] = moved[m] || !v(i).IsZero()
			}
		}
	}
	for _, m := range bridge[:7] {
		if !moved[m] {
			t.Errorf("the data never shows %s", m)
		}
	}
}

func theBridgeBalancesOnTheSample(t *testing.T, c *metric.Catalog) {
	run := func(q metric.Query) (*metric.Result, error) { return c.Run(t.Context(), acme, q) }
	for _, by := range [][]string{nil, {"month"}, {"client", "month"}, {"quarter"}, {"industry", "month"}, {"cohort"}, {"client"}} {
		if rows := balanced(t, metric.Query{Dimensions: by}, run); rows == 0 {
			t.Errorf("no bridge by %v", by)
		}
	}
	// A month's start is the end of the one before.
	r, err := run(metric.Query{Measures: []string{"mrr_start", "mrr_end"}, Dimensions: []string{"month"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range r.Rows[1:] {
		if start, end := row[1].(quantity.Decimal), r.Rows[i][2].(quantity.Decimal); !start.Equal(end) {
			t.Errorf("%v starts with %s, the month before ended with %s", row[0], start, end)
		}
	}
}
