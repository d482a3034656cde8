package document

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// scale says where values lie on a canvas. Values stay decimals until here.
type scale struct {
	low, high quantity.Decimal
	from, to  float64 // where low and high lie
}

func (s scale) at(d quantity.Decimal) float64 {
	span := quantity.Float(s.high.Sub(s.low))
	if span == 0 {
		return s.from
	}
	return s.from + quantity.Float(d.Sub(s.low))/span*(s.to-s.from)
}

// zero is where bars begin: at zero, or at the end of the scale that is nearest to it.
func (s scale) zero() float64 {
	return s.at(decimal.Max(s.low, decimal.Min(s.high, quantity.Decimal{})))
}

// tick is a value that an axis names.
type tick struct {
	value quantity.Decimal
	label string
}

// ticks returns a range around the values from low to high and the steps in it: 1, 2 or 5
// times a power of ten, about as many as wanted. Each label says its tick exactly and no two
// are the same, so steps are never finer than what a unit is written in.
func ticks(low, high quantity.Decimal, unit quantity.Unit, currency string, wanted int) (quantity.Decimal, quantity.Decimal, []tick) {
	if !low.LessThan(high) {
		if low, high = decimal.Min(low, quantity.Decimal{}), decimal.Max(high, quantity.Decimal{}); low.Equal(high) {
			high = one
		}
	}
	power, times := magnitude(high.Sub(low))-1, 0
	for limit := 0; ; limit++ {
		step := decimal.New(steps[times], power)
		first, last := floorOf(low, step), floorOf(high.Neg(), step).Neg()
		if n := last.Sub(first); n.LessThanOrEqual(decimal.NewFromInt(int64(max(wanted, 1)))) {
			out, exact := ticksAt(first, step, int(n.IntPart())+1, unit, currency)
			if exact || limit > 400 {
				return first.Mul(step), last.Mul(step), out
			}
		}
		if times++; times == len(steps) {
			power, times = power+1, 0
		}
	}
}

var steps = [...]int64{1, 2, 5}

// floorOf returns how many whole steps lie at or below a value, exactly.
func floorOf(d, step quantity.Decimal) quantity.Decimal {
	n, rest := d.QuoRem(step, 0)
	if rest.Sign() < 0 {
		n = n.Sub(one)
	}
	return n
}

// magnitude returns the power of ten at or below a number above zero.
func magnitude(d quantity.Decimal) int32 { return int32(d.NumDigits()) + d.Exponent() - 1 }

// ticksAt labels n ticks and reports whether each label is its own and says its tick.
func ticksAt(first, step quantity.Decimal, n int, unit quantity.Unit, currency string) ([]tick, bool) {
	out, seen, exact := make([]tick, n), map[string]bool{}, true
	largest := decimal.Max(first.Abs(), first.Add(decimal.NewFromInt(int64(n-1))).Abs()).Mul(step)
	for i := range out {
		d := first.Add(decimal.NewFromInt(int64(i))).Mul(step)
		label := Value{Number: &d, Unit: unit, Currency: currency}.ShortBeside(largest)
		exact = exact && !seen[label] && says(label, d)
		seen[label] = true
		out[i] = tick{d, label}
	}
	wholeTogether(out)
	return out, exact
}

// wholeTogether leaves out the places of labels when all of them are zeros.
func wholeTogether(ticks []tick) {
	for _, t := range ticks {
		if !wholeNumber(t.label) {
			return
		}
	}
	for i := range ticks {
		ticks[i].label = withoutPlaces(ticks[i].label)
	}
}

// wholeNumber reports whether a written number has no places, or only zeros.
func wholeNumber(label string) bool {
	_, rest, _ := strings.Cut(label, ".")
	tail := strings.TrimLeft(rest, "0")
	return tail == "" || tail[0] < '1' || tail[0] > '9'
}

// withoutPlaces leaves out the places of a whole number: "42%" for "42.0%".
func withoutPlaces(label string) string {
	front, rest, _ := strings.Cut(label, ".")
	return front + strings.TrimLeft(rest, "0")
}

// says reports whether a written number is the number.
func says(label string, d quantity.Decimal) bool {
	at := strings.IndexAny(label, "0123456789")
	if at < 0 {
		return false
	}
	digits := label[at:]
	end := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789,.", r) })
	tail := ""
	if end >= 0 {
		digits, tail = digits[:end], digits[end:]
	}
	read, err := decimal.NewFromString(strings.ReplaceAll(digits, ",", ""))
	if err != nil {
		return false
	}
	if strings.HasPrefix(tail, "%") {
		read = read.Shift(-2)
	}
	for _, s := range suffixes {
		if strings.HasPrefix(tail, s.text) {
			read = read.Shift(s.power)
			break
		}
	}
	return read.Equal(d.Abs()) && strings.HasPrefix(label, minus) == (d.Sign() < 0)
}

// onAxis is a chart's unit where its subtitle says what the amounts are for.
func onAxis(u quantity.Unit) quantity.Unit {
	if u.HasMoney() {
		return quantity.Money
	}
	if u == quantity.Days || u == quantity.Months {
		return quantity.PerEndpoint // a number with no unit behind it
	}
	return u
}

// extent returns the least and greatest of values; ok is false when there are none.
func extent(values ...*quantity.Decimal) (low, high quantity.Decimal, ok bool) {
	for _, v := range values {
		switch {
		case v == nil:
		case !ok:
			low, high, ok = *v, *v, true
		default:
			low, high = decimal.Min(low, *v), decimal.Max(high, *v)
		}
	}
	return low, high, ok
}
