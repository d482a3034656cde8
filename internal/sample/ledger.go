package sample

import (
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// LedgerGap is a month in which the books say otherwise than the invoices.
type LedgerGap struct {
	Month  quantity.Day     `json:"month"`
	Amount quantity.Decimal `json:"amount"` // invoiced revenue − ledger income
}

// accrued is the revenue that the books take up in one month and give back in the next,
// for work that is invoiced then.
const accrued = cents(2_500_00)

// accrualMonth is the month at whose end the books take up accrued revenue.
func (f *firm) accrualMonth() int { return f.Months - 5 }

// ledgerGaps are the months in which ledger and invoices differ.
func (f *firm) ledgerGaps() []LedgerGap {
	m := f.accrualMonth()
	return []LedgerGap{{f.cal.at(m), (-accrued).decimal()}, {f.cal.at(m + 1), accrued.decimal()}}
}

// accounts of the ledger by what is booked on them.
var incomeAccounts = []struct{ category, account string }{
	{"recurring_labor", "4000 Managed services"}, {"recurring_resale", "4100 Resold subscriptions"}, {"project", "4200 Projects"}, {"t_and_m", "4300 Support by the hour"}, {"hardware", "4400 Hardware"},
}

var costAccounts = []struct{ category, class, account string }{
	{"cogs_product", "cogs", "5000 Products"}, {"cogs_tool", "cogs", "5100 Tools"}, {"cogs_subcontract", "cogs", "5200 Subcontractors"}, {"opex", "expense", "7000 Overhead"},
}

// ledgerRows books each month's invoices, bills and pay by account, and the accrued revenue.
func (f *firm) ledgerRows(t *table) {
	booked := make([]map[string]cents, f.Months)
	for m := range booked {
		booked[m] = map[string]cents{}
	}
	within := func(d quantity.Day) (int, bool) {
		m := f.cal.month(d)
		return m, m >= 0 && m < f.Months
	}
	for _, inv := range f.invoices {
		if m, ok := within(inv.date); ok && inv.status != "void" {
			for _, l := range inv.lines {
				booked[m][l.category] += l.net()
			}
		}
	}
	for _, e := range f.expenses {
		if m, ok := within(e.day); ok {
			booked[m][e.category] += e.net
		}
	}
	row := func(m int, account, class string, amount cents) {
		if amount == 0 {
			return
		}
		t.day(f.cal.at(m))
		t.text(account)
		t.text(class)
		t.money(amount)
		t.text("USD")
		t.end()
	}
	for m := range f.Months {
		for _, a := range incomeAccounts {
			row(m, a.account, "income", booked[m][a.category])
		}
		switch m {
		case f.accrualMonth():
			row(m, "4900 Accrued revenue", "income", accrued)
		case f.accrualMonth() + 1:
			row(m, "4900 Accrued revenue", "income", -accrued)
		}
		for _, a := range costAccounts {
			row(m, a.account, a.class, booked[m][a.category])
		}
		var pay cents
		for _, p := range f.people {
			_, amount := f.pay(p, m)
			pay += amount
		}
		row(m, "6000 Payroll", "payroll", pay)
	}
}

// pay is what a person is paid for in month m, in hundredths of an hour, and how much, with
// the employer's cost: the contract's hours on the days of employment, worked or not.
func (f *firm) pay(p *person, m int) (hundredths int64, amount cents) {
	days, employed := 0, 0
	var costs []cents
	for d := f.cal.at(m); d.Before(f.cal.at(m + 1)); d = d.AddDays(1) {
		if days++; p.employed(d) {
			employed++
			costs = append(costs, p.rateOn(d).cost)
		}
	}
	if employed == 0 {
		return 0, 0
	}
	hundredths = int64(p.weekly) * 100 * 52 * int64(employed) / int64(12*days)
	return hundredths, cents(hundredths) * slices.Max(costs) / 100
}

func (f *firm) payrollRows(t *table) {
	for m := range f.Months {
		for _, p := range f.people {
			hundredths, amount := f.pay(p, m)
			if amount == 0 {
				continue
			}
			t.text(p.name)
			t.day(f.cal.at(m))
			t.day(f.cal.at(m + 1).AddDays(-1))
			t.money(amount)
			t.money(cents(hundredths)) // hundredths as well
			t.text("USD")
			t.end()
		}
	}
}
