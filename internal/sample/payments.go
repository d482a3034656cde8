package sample

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// payment is money received for an invoice, or a credit set against one.
type payment struct {
	id      string
	invoice *invoice
	day     quantity.Day
	amount  cents
	method  string
}

// collect pays the invoices that fell due in time: each client around its own habit. A
// credit is set against its invoice when that is paid, so that both are closed. It marks
// what is paid.
func (f *firm) collect() []payment {
	d := newDice(f.Seed, 80)
	credits := map[*invoice]*invoice{}
	for _, inv := range f.invoices {
		if inv.credits != nil {
			credits[inv.credits] = inv
		}
	}
	var payments []payment
	for _, inv := range f.invoices {
		if inv.status == "void" || inv.credits != nil {
			continue
		}
		day := inv.due.AddDays(inv.client.late + d.between(-4, 6))
		memo := credits[inv]
		if memo != nil && day.Before(memo.date) {
			day = memo.date
		}
		method := []string{"ACH", "ACH", "Check", "Card"}[d.upTo(4)]
		if !day.Before(f.cal.end) {
			continue
		}
		inv.status = "paid"
		due := inv.total()
		if memo != nil {
			memo.status = "paid"
			due += memo.total()
			payments = append(payments,
				payment{invoice: inv, day: day, amount: -memo.total(), method: "Credit applied"},
				payment{invoice: memo, day: day, amount: memo.total(), method: "Credit applied"})
		}
		payments = append(payments, payment{invoice: inv, day: day, amount: due, method: method})
	}
	slices.SortStableFunc(payments, func(a, b payment) int {
		return cmp.Or(a.day.Time().Compare(b.day.Time()), cmp.Compare(a.invoice.number, b.invoice.number))
	})
	for i := range payments {
		payments[i].id = fmt.Sprintf("P-%06d", 500_001+i)
	}
	return payments
}
