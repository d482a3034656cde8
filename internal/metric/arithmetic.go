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
