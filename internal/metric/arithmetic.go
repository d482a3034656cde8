package metric

import (
	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Herfindahl returns the sum of the squared shares of the amounts (domain 2.7): 1/n for n
// equal ones, 1 for a single one. Amounts that are zero or negative have no share; ok is
// false when nothing is left.
func Herfindahl(amounts []quantity.Decimal) (index quantity.Decimal, ok bool) {
	total, squares := decimal.Zero, decimal.Zero
	for _, a := range amounts {
		if a.Sign() > 0 {
			total, squares = total.Add(a), squares.Add(a.Mul(a))
		}
	}
	return ratio(squares, total.Mul(total))
}

// ratio is a / b; ok is false when b is zero or negative (domain 0: no ratio then).
func ratio(a, b quantity.Decimal) (quantity.Decimal, bool) {
	if b.Sign() <= 0 {
		return quantity.Decimal{}, false
	}
	return a.DivRound(b, divisionDigits), true
}

// RepriceForMargin returns the price at which cost leaves the margin (domain 2.3: P* =
// cost ÷ (1 − margin)); ok is false for a margin of 1 or more.
func RepriceForMargin(cost, margin quantity.Decimal) (price quantity.Decimal, ok bool) {
	return ratio(cost, one.Sub(margin))
}

// RepriceForEfficiency returns the price of an agreement whose work is worth shadow at
// billing rates and whose products are worth products, at an agreement efficiency of
// target (domain 2.3: P* = e* × shadow + product value).
func RepriceForEfficiency(shadow, products, target quantity.Decimal) quantity.Decimal {
	return target.Mul(shadow).Add(products)
}

// HourBudget returns the hours a month that recurring revenue pays for when a share of it
// may go into labor at the rate (domain 2.3: MRR ÷ rate × share); ok is false without a rate.
func HourBudget(mrr, rate, share quantity.Decimal) (hours quantity.Decimal, ok bool) {
	return ratio(mrr.Mul(share), rate)
}

// ReactiveHours returns the reactive hours per endpoint and month (domain 2.5): tickets
// per endpoint × hours per ticket; ok is false without tickets or endpoints.
func ReactiveHours(tickets, hours, endpoints quantity.Decimal) (perEndpoint quantity.Decimal, ok bool) {
	if tickets.Sign() <= 0 {
		return quantity.Decimal{}, false
	}
	return ratio(hours, endpoints)
}

// Retention is what became of recurring revenue in a period; all amounts are positive.
type Retention struct {
	Start, New, Expansion, Contraction, Churn quantity.Decimal
}

// End returns the recurring revenue at the period's end: the bridge balances exactly.
func (r Retention) End() quantity.Decimal {
	return r.Start.Add(r.New).Add(r.Expansion).Sub(r.Contraction).Sub(r.Churn)
}

// Rates returns gross revenue retention (domain 2.7: (start − churn − contraction) ÷
// start), net the same with expansion; ok is false when there was nothing at the start.
func (r Retention) Rates() (gross, net quantity.Decimal, ok bool) {
	kept := r.Start.Sub(r.Churn).Sub(r.Contraction)
	if gross, ok = ratio(kept, r.Start); !ok {
		return gross, net, false
	}
	net, ok = ratio(kept.Add(r.Expansion), r.Start)
	return gross, net, ok
}

// Payback returns the months until the cost of winning a client has come back, on revenue
// and on margin (domain 2.7: CAC ÷ MRR, CAC ÷ (MRR × margin)); ok is false when either is
// not positive.
func Payback(cost, mrr, margin quantity.Decimal) (onRevenue, onMargin quantity.Decimal, ok bool) {
	if onRevenue, ok = ratio(cost, mrr); !ok {
		return onRevenue, onMargin, false
	}
	onMargin, ok = ratio(cost, mrr.Mul(margin))
	return onRevenue, onMargin, ok
}

var one = decimal.NewFromInt(1)
