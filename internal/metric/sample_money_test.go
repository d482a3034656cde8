package metric_test

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// plain are questions about the sample in plain SQL over the stored tables, written apart
// from the views.
var plain = []struct {
	measure, where, sql string
	tables              []string
}{
	{"service_revenue", "", "SELECT sum(net_amount) FROM invoices WHERE coalesce(status, '') <> 'void' AND revenue_category NOT IN ('recurring_resale', 'hardware') AND invoice_date >= DATE '2026-02-01' AND invoice_date < DATE '2026-06-01'", []string{"invoices"}},
	{"revenue_void", "", "SELECT sum(net_amount) FROM invoices WHERE status = 'void' AND invoice_date >= DATE '2026-02-01' AND invoice_date < DATE '2026-06-01'", []string{"invoices"}},
	{"service_cost", "", "SELECT sum(net_amount) FROM expenses WHERE category IN ('cogs_tool', 'cogs_subcontract') AND expense_date BETWEEN DATE '2026-02-01' AND DATE '2026-05-31'", []string{"expenses"}},
	{"ledger_revenue", "", "SELECT sum(amount) FROM ledger WHERE account_class = 'income' AND period_start BETWEEN DATE '2026-02-01' AND DATE '2026-05-31'", []string{"ledger"}},
	{"ebitda", "", "SELECT sum(CASE WHEN account_class = 'income' THEN amount ELSE -amount END) FROM ledger WHERE period_start BETWEEN DATE '2026-02-01' AND DATE '2026-05-31'", []string{"ledger"}},
	{"payroll_cost", "", "SELECT sum(gross_amount) FROM payroll WHERE period_start BETWEEN DATE '2026-02-01' AND DATE '2026-05-31'", []string{"payroll"}},
	{"paid_hours", "", "SELECT sum(paid_hours) FROM payroll WHERE period_start BETWEEN DATE '2026-02-01' AND DATE '2026-05-31'", []string{"payroll"}},
	{"mrr_end", "", "SELECT (SELECT sum(amount) FROM agreements WHERE start_date <= DATE '2026-05-31' AND end_date >= DATE '2026-05-31') + (SELECT sum((quantity - included_quantity) * unit_price / CASE billing_cycle WHEN 'yearly' THEN 12 ELSE 1 END) FROM agreement_additions d SEMI JOIN (SELECT * FROM agreements WHERE start_date <= DATE '2026-05-31' AND end_date >= DATE '2026-05-31') a ON a.agreement_id = d.agreement_id WHERE effective_date <= DATE '2026-05-31' AND (cancelled_date IS NULL OR cancelled_date > DATE '2026-05-31'))", []string{"agreements", "agreement_additions"}},
	{"agreement_product_cost", "", "SELECT sum(quantity * unit_cost / CASE d.billing_cycle WHEN 'yearly' THEN 12 ELSE 1 END) FROM agreement_additions d JOIN (VALUES (DATE '2026-02-28'), (DATE '2026-03-31'), (DATE '2026-04-30'), (DATE '2026-05-31')) m(day) ON d.effective_date <= day AND (d.cancelled_date IS NULL OR d.cancelled_date > day) JOIN agreements a ON a.agreement_id = d.agreement_id AND a.start_date <= day AND a.end_date >= day", []string{"agreements", "agreement_additions"}},
	{"clients_end", "", "SELECT count(*) FROM clients WHERE status <> 'internal' AND coalesce(acquired_on, DATE '2026-05-31') <= DATE '2026-05-31' AND coalesce(lost_on, DATE '2026-06-01') > DATE '2026-05-31'", []string{"clients"}},
	{"client_labor", "", "SELECT sum(labor_cost) FROM rollup_time_client r WHERE month BETWEEN DATE '2026-02-01' AND DATE '2026-05-01' AND client_key NOT IN (SELECT client_key FROM clients WHERE status = 'internal')", []string{"rollup_time_client", "clients"}},
	{"internal_labor", "", "SELECT sum(labor_cost) FROM rollup_time_client r WHERE month BETWEEN DATE '2026-02-01' AND DATE '2026-05-01' AND client_key IN (SELECT client_key FROM clients WHERE status = 'internal')", []string{"rollup_time_client", "clients"}},
	{"users", "", "SELECT sum(employees) FROM clients WHERE client_key IN (SELECT client_key FROM agreements WHERE start_date <= DATE '2026-05-31' AND end_date >= DATE '2026-05-31' AND (amount > 0 OR agreement_id IN (SELECT agreement_id FROM agreement_additions WHERE quantity > included_quantity)))", []string{"clients", "agreements", "agreement_additions"}},
}

func moneyEqualsPlainSQL(t *testing.T, c *metric.Catalog) {
	p := period(t, "2026-02", "2026-06")
	for _, k := range plain {
		uses := make([]warehouse.TableUse, len(k.tables))
		for i, name := range k.tables {
			uses[i].Name = name
		}
		rows, err := metric.Warehouse(c).Query(t.Context(), acme, warehouse.Statement{SQL: "SELECT (" + k.sql + ")::DECIMAL(38,10)", Uses: uses})
		if err != nil {
			t.Fatalf("%s: %v", k.measure, err)
		}
		want, _ := rows.Rows[0][0].(quantity.Decimal)
		if got := asked(t, c, metric.Query{Measures: []string{k.measure}, Period: p}); !got.Round(6).Equal(want.Round(6)) || want.IsZero() && k.measure != "revenue_void" {
			t.Errorf("%s is %s, plain SQL says %s", k.measure, got, want)
		}
	}
}

// The books of the sample differ from its invoices where that is planted, and labor and what
// is not absorbed make up the pay.
func theBooksOfTheSampleTie(t *testing.T, c *metric.Catalog) {
	r, err := c.Run(t.Context(), acme, metric.Query{Measures: []string{"revenue_gap", "revenue", "ledger_revenue", "payroll_gap", "absorbable_payroll", "client_labor", "internal_labor", "unabsorbed_labor", "labor_cost"}, Dimensions: []string{"month"}})
	if err != nil {
		t.Fatal(err)
	}
	gaps := 0
	for i, row := range r.Rows {
		v := func(at int) quantity.Decimal {
			d, ok := row[at].(quantity.Decimal)
			if !ok {
				t.Fatalf("%v: %v", row, r.Reasons[i])
			}
			return d
		}
		if !v(1).Equal(v(2).Sub(v(3))) {
			t.Errorf("%v: the gap %s is not %s - %s", row[0], v(1), v(2), v(3))
		}
		if !v(1).IsZero() {
			gaps++
		}
		if !v(4).IsZero() {
			t.Errorf("%v: payroll and ledger differ by %s", row[0], v(4))
		}
		if !v(6).Add(v(7)).Equal(v(9)) || !v(6).Add(v(7)).Add(v(8)).Equal(v(5)) || v(8).Sign() <= 0 {
			t.Errorf("%v: %s client + %s internal + %s unabsorbed labor, pay %s, labor %s", row[0], v(6), v(7), v(8), v(5), v(9))
		}
	}
	if gaps != 2 || len(r.Rows) != 6 {
		t.Errorf("%d of %d months have a gap, 2 of 6 are planted", gaps, len(r.Rows))
	}
}
