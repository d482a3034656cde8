package sample_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func TestTheLedgerDiffersFromTheInvoicesAsPlanted(t *testing.T) {
	t.Parallel()
	dir, truth := generate(t, sample.MSPOptions{Clients: 8, Months: 12})
	gaps, pay := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, r := range read(t, dir, "invoices.csv") {
		if r["status"] != "void" {
			month := r["invoice_date"][:7]
			gaps[month] = gaps[month].Add(r.amount(t, "net_amount"))
		}
	}
	for _, r := range read(t, dir, "payroll.csv") {
		month := r["period_start"][:7]
		pay[month] = pay[month].Add(r.amount(t, "gross_amount"))
	}
	costs := decimal.Zero
	for _, r := range read(t, dir, "ledger.csv") {
		month := r["period_start"][:7]
		switch r["account_class"] {
		case "income":
			gaps[month] = gaps[month].Sub(r.amount(t, "amount"))
		case "payroll":
			pay[month] = pay[month].Sub(r.amount(t, "amount"))
		default:
			costs = costs.Add(r.amount(t, "amount"))
		}
	}
	if len(pay) != 12 {
		t.Errorf("pay of %d months, want 12", len(pay))
	}
	for month, gap := range pay {
		if !gap.IsZero() {
			t.Errorf("%s: payroll and ledger differ by %s", month, gap)
		}
	}
	planted := map[string]decimal.Decimal{}
	for _, g := range truth.LedgerGaps {
		planted[g.Month.String()[:7]] = g.Amount
	}
	for month, gap := range gaps {
		if !gap.Equal(planted[month]) {
			t.Errorf("%s: invoices and ledger differ by %s, want %s", month, gap, planted[month])
		}
	}
	if len(planted) != 2 {
		t.Errorf("%d gaps are planted, want 2", len(planted))
	}
	for _, r := range read(t, dir, "expenses.csv") {
		costs = costs.Sub(r.amount(t, "net_amount"))
	}
	if !costs.IsZero() {
		t.Errorf("costs of the ledger and expenses differ by %s", costs)
	}
	if text := contents(t, dir)["truth.json"]; !strings.Contains(text, "ledger_gaps") {
		t.Error("truth.json does not name the gaps")
	}
}
