package metric

import (
	"math/bits"
	"slices"

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

// TopShare returns the part of all amounts that the n largest make up, all of it when there
// are no more. Amounts that are zero or negative have no share; ok is false when nothing is
// left.
func TopShare(amounts []quantity.Decimal, n int) (share quantity.Decimal, ok bool) {
	sorted := slices.SortedFunc(slices.Values(amounts), func(a, b quantity.Decimal) int { return b.Cmp(a) })
	total, top := decimal.Zero, decimal.Zero
	for i, a := range sorted {
		if a.Sign() <= 0 {
			break
		}
		if total = total.Add(a); i < n {
			top = top.Add(a)
		}
	}
	return ratio(top, total)
}

// ratio is a / b; ok is false when b is zero or negative (domain 0: no ratio then).
func ratio(a, b quantity.Decimal) (quantity.Decimal, bool) {
	if b.Sign() <= 0 {
		return quantity.Decimal{}, false
	}
	return divide(a, b), true
}

// The four operations give what the decimal library gives, exactly; quotients are rounded
// half away from zero to divisionDigits. Numbers of up to 18 digits take a way without
// big integers, a tenth as long: a large answer has tens of thousands of them.

func add(a, b quantity.Decimal) quantity.Decimal {
	if x, y, scale, ok := aligned(a, b); ok {
		return decimal.New(x+y, -scale)
	}
	return a.Add(b)
}

func subtract(a, b quantity.Decimal) quantity.Decimal {
	if x, y, scale, ok := aligned(a, b); ok {
		return decimal.New(x-y, -scale)
	}
	return a.Sub(b)
}

func multiply(a, b quantity.Decimal) quantity.Decimal {
	x, xs, ok := short(a)
	y, ys, ok2 := short(b)
	if ok && ok2 {
		if hi, lo := bits.Mul64(magnitude(x), magnitude(y)); hi == 0 && lo < 1<<63 {
			return decimal.New(signed(lo, x < 0 != (y < 0)), -xs-ys)
		}
	}
	return a.Mul(b)
}

// divide is a / b; b must not be zero.
func divide(a, b quantity.Decimal) quantity.Decimal {
	x, xs, ok := short(a)
	y, ys, ok2 := short(b)
	if k := divisionDigits - xs + ys; ok && ok2 && k >= 0 && int(k) < len(powers) {
		by := magnitude(y)
		if hi, lo := bits.Mul64(magnitude(x), powers[k]); hi < by {
			q, rest := bits.Div64(hi, lo, by)
			if rest >= by-rest {
				q++
			}
			if q < 1<<63 {
				return decimal.New(signed(q, x < 0 != (y < 0)), -divisionDigits)
			}
		}
	}
	return a.DivRound(b, divisionDigits)
}

// powers are the powers of ten.
var powers = func() (p [19]uint64) {
	for i := range p {
		p[i] = 1
		for range i {
			p[i] *= 10
		}
	}
	return p
}()

// short is a number as n / 10^scale when it has at most 18 digits and decimals.
func short(d quantity.Decimal) (n int64, scale int32, ok bool) {
	scale = -d.Exponent()
	if scale < 0 || scale > 18 || d.NumDigits() > 18 {
		return 0, 0, false
	}
	return d.CoefficientInt64(), scale, true
}

// aligned is two numbers at the same scale, small enough to be added.
func aligned(a, b quantity.Decimal) (x, y int64, scale int32, ok bool) {
	x, xs, ok := short(a)
	y, ys, ok2 := short(b)
	if !ok || !ok2 {
		return 0, 0, 0, false
	}
	scale = max(xs, ys)
	x, ok = shifted(x, scale-xs)
	y, ok2 = shifted(y, scale-ys)
	return x, y, scale, ok && ok2
}

// shifted is n x 10^k when that is below 2^62.
func shifted(n int64, k int32) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(n), powers[k])
	return signed(lo, n < 0), hi == 0 && lo < 1<<62
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

func signed(n uint64, negative bool) int64 {
	if negative {
		return -int64(n)
	}
	return int64(n)
}
