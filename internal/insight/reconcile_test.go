package insight_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func text(d *quantity.Decimal) string {
	if d == nil {
		return "null"
	}
	return d.String()
}

func TestTheBooksOfTheSampleAreReconciled(t *testing.T) {
	t.Parallel()
	dir, truth := msp(t, sample.MSPOptions{Clients: 8, Months: 12})
	x := newWorld(t)
	x.load(t, dir)
	r, err := x.Reconcile(t.Context(), northwind, quantity.Period{})
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]string{}
	for _, g := range truth.LedgerGaps {
		planted[g.Month.String()] = g.Amount.String()
	}
	for _, m := range r.Revenue {
		want, has := planted[m.Month.String()]
		if !has {
			want = "0"
		}
		if text(m.Gap) != want || has != (len(m.Likely) > 0) || has && !strings.Contains(m.Likely[0], "opposite gap") {
			t.Errorf("%s: gap %s, likely %v; want %s", m.Month, text(m.Gap), m.Likely, want)
		}
	}
	for _, m := range r.Labor {
		if m.Leave == nil {
			t.Fatalf("%s: %+v", m.Month, m)
		}
		if sum := m.Client.Add(*m.Internal).Add(*m.Unabsorbed); !sum.Equal(*m.Payroll) {
			t.Errorf("%s: labor and the rest make up %s of %s", m.Month, sum, m.Payroll)
		}
		if sum := m.Leave.Add(*m.NotEntered).Add(*m.Rates); !sum.Equal(*m.Unabsorbed) {
			t.Errorf("%s: parts make up %s of %s", m.Month, sum, m.Unabsorbed)
		}
	}
	if len(r.Revenue) != 12 || len(r.Labor) != 12 {
		t.Errorf("%d and %d months, want 12", len(r.Revenue), len(r.Labor))
	}
	names := map[string]bool{}
	for _, d := range r.Differences {
		names[d.Name] = true
		if _, err := x.metrics.Run(t.Context(), northwind, d.Query); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	for _, want := range []string{"rounded_hours", "internal_time", "void_invoices", "sales_tax"} {
		if !names[want] {
			t.Errorf("%s is not among %v", want, names)
		}
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "nearer to what a paid hour costs") {
		t.Errorf("the sample's cost rates are those of a paid hour: %v", r.Notes)
	}
}

func TestWhatOtherSystemsCountOtherwise(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.text(t, "staff.csv", "staff_name,cost_rate,bill_rate\nAnn,50.00,100.00\n")
	x.text(t, "invoices.csv", `invoice_number,client_name,invoice_date,net_amount,tax_amount,status,invoice_type
1,Harbor,2026-05-03,1000.00,80.00,sent,Invoice
2,Harbor,2026-05-04,300.00,0,draft,Invoice
3,Harbor,2026-05-05,200.00,0,void,Invoice
4,Harbor,2026-05-06,500.00,0,sent,Down Payment
`)
	x.text(t, "time_entries.csv", `time_entry_id,staff_name,client_name,work_date,hours_worked,hours_billed,billable,cost_multiplier
1,Ann,Harbor,2026-05-04,1.20,1.50,yes,
2,Ann,Harbor,2026-05-29,2.00,2.00,yes,0
3,Ann,,2026-05-30,3.00,,no,
`)
	x.text(t, "ledger.csv", "period_start,account,account_class,amount\n2026-05-01,4000 Services,income,1500.00\n")
	r, err := x.Reconcile(t.Context(), northwind, quantity.Period{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range r.Differences {
		got[d.Name] = d.Amount.String()
	}
	want := map[string]string{"rounded_hours": "0.3", "unassigned_time": "3", "hours_at_no_cost": "2", "cost_multipliers": "-100", "drafts": "300", "void_invoices": "200", "down_payments": "500", "sales_tax": "80"}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %q, want %s: %v", name, got[name], v, got)
		}
	}
	if len(r.Revenue) != 1 || text(r.Revenue[0].Gap) != "-500" || len(r.Revenue[0].Likely) != 1 || !strings.Contains(r.Revenue[0].Likely[0], "down payments") {
		t.Errorf("the ledger counts the down payment: %+v", r.Revenue)
	}
	if m := r.Labor[0]; m.Payroll != nil || m.Reason == "" {
		t.Errorf("pay is not known: %+v", m)
	}
}

func TestWithoutBooksNothingIsReconciled(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	r, err := x.Reconcile(t.Context(), northwind, quantity.Period{})
	if err != nil || r.Revenue == nil || r.Labor == nil || r.Differences == nil || len(r.Notes) != 1 {
		t.Errorf("without data: %+v, %v", r, err)
	}
	x.text(t, "invoices.csv", "invoice_number,client_name,invoice_date,amount\n1,Harbor,2026-05-03,1000.00\n")
	if r, err = x.Reconcile(t.Context(), northwind, quantity.Period{}); err != nil {
		t.Fatal(err)
	}
	if len(r.Revenue) != 1 || r.Revenue[0].Ledger != nil || r.Revenue[0].Gap != nil || r.Revenue[0].Reason != "no ledger imported" || !r.Revenue[0].Invoiced.Equal(decimal.New(1000, 0)) || len(r.Notes) != 2 {
		t.Errorf("without a ledger: %+v, %v", r.Revenue, r.Notes)
	}
}
