// Package office is what the formats of Office have in common: how a number stands in a cell,
// how it is shown, how wide a text is, and native charts with the cells that they draw.
package office

import (
	"math"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// SheetDigits is how many significant digits a spreadsheet keeps of a number.
const SheetDigits = 15

// Kept says how a number stands in a cell.
type Kept int

// The ways.
const (
	Exact   Kept = iota // as given
	Rounded             // to SheetDigits significant digits
	AsText              // no spreadsheet has this number
)

var pow10 = func() (p [23]float64) { // each is exact
	for i := range p {
		p[i], _ = strconv.ParseFloat("1e"+strconv.Itoa(i), 64)
	}
	return p
}()

// Number returns the float that a spreadsheet reads back as the same decimal, rounded to the
// digits that it keeps.
func Number(d quantity.Decimal) (float64, Kept) {
	kept := Exact
	if extra := d.NumDigits() - SheetDigits; extra > 0 {
		short := d.Round(-d.Exponent() - int32(extra)) // the library would cut, not round
		if !short.Equal(d) {
			kept = Rounded
		}
		d = short
	} else if c, e := d.CoefficientInt64(), d.Exponent(); e <= 0 && e >= -22 {
		return float64(c) / pow10[-e], Exact // one rounding of two exact floats: the nearest
	}
	x := d.InexactFloat64()
	if back, err := decimal.NewFromString(strconv.FormatFloat(x, 'f', -1, 64)); err != nil || !back.Equal(d) {
		return 0, AsText
	}
	return x, kept
}

// Digits writes a number as Number keeps it.
func Digits(d quantity.Decimal) string {
	if extra := d.NumDigits() - SheetDigits; extra > 0 {
		d = d.Round(-d.Exponent() - int32(extra))
	}
	return d.String()
}

// Format is the number format of a unit's cells. Amounts have the currency in front when one
// is given; heads that name it give none.
func Format(u quantity.Unit, currency string) string {
	switch {
	case u == quantity.Ratio:
		return "0.0%"
	case u == quantity.Count:
		return "#,##0"
	case u == quantity.Hours, u == quantity.Days, u == quantity.Months:
		return "#,##0.0"
	case u == quantity.PerEndpoint:
		return "#,##0.00"
	case u.HasMoney():
		return signed(currency, "#,##0.00", "")
	case u == quantity.Date:
		return "yyyy-mm-dd"
	case u == quantity.Text || u == "":
		return ""
	}
	return "#,##0.00"
}

// FullFormat is the number format of a figure that stands alone: its unit is behind it.
func FullFormat(u quantity.Unit, currency string) string {
	tail := ""
	switch {
	case u.HasMoney():
		tail = strings.TrimPrefix(document.SayUnit(u, "X"), "X")
	case u == quantity.Hours, u == quantity.Days, u == quantity.Months:
		tail = " " + document.SayUnit(u, "")
	}
	return behind(Format(u, currency), tail)
}

// behind adds a text to each part of a number format.
func behind(format, tail string) string {
	if tail == "" || format == "" {
		return format
	}
	parts := strings.Split(format, ";")
	for i := range parts {
		parts[i] += `"` + tail + `"`
	}
	return strings.Join(parts, ";")
}

// ChangeFormat is the number format of a signed difference. A ratio's is held as a fraction
// and said to be in points.
func ChangeFormat(u quantity.Unit, currency string) string {
	plain := FullFormat(u, currency)
	if u == quantity.Ratio {
		plain = behind(plain, " pts")
	}
	positive, negative, ok := strings.Cut(plain, ";")
	if !ok {
		negative = "-" + plain
	}
	if plain == "" {
		return ""
	}
	return "+" + positive + ";" + negative + ";" + positive
}

func signed(currency, digits, tail string) string {
	mark := document.Mark(currency)
	if mark == "" {
		return digits + tail
	}
	mark = `"` + strings.ReplaceAll(mark, `"`, "") + `"`
	return mark + digits + tail + ";-" + mark + digits + tail
}

// ShortFormat is the number format of axes and labels whose largest number is most, told
// apart by steps of step.
func ShortFormat(u quantity.Unit, currency string, most, step float64) string {
	most, step = math.Abs(most), math.Abs(step)
	if u == quantity.Ratio {
		return decimals("0", step*100, 2) + "%"
	}
	scale, tail := 1.0, ""
	switch {
	case most >= 1e9:
		scale, tail = 1e9, `,,,"bn"`
	case most >= 1e6:
		scale, tail = 1e6, `,,"M"`
	case most >= 1e4:
		scale, tail = 1e3, `,"k"`
	}
	digits := decimals("#,##0", step/scale, 3)
	form, mark := digits+tail, ""
	if u.HasMoney() {
		form = signed(currency, digits, tail)
		mark, _, _ = strings.Cut(form, "#")
	}
	switch {
	case tail == "":
		return form
	case strings.Contains(form, ";"):
		return form + ";" + mark + "0" // no "0k"
	}
	return form + ";-" + form + ";0"
}

// decimals adds as many decimals to a format as a step needs, at most so many.
func decimals(format string, step float64, most int) string {
	n := 0
	for step > 0 && n < most && math.Abs(step-math.Round(step)) > 1e-9*step {
		step *= 10
		n++
	}
	if n == 0 {
		return format
	}
	return format + "." + strings.Repeat("0", n)
}

// Scale is an axis: from Min to Max in steps of Step.
type Scale struct{ Min, Max, Step float64 }

// most is the largest number of an axis: a float's own end would be no number.
const most = 1e300

// ScaleOf returns the axis that holds numbers from low to high; bars begin at zero.
func ScaleOf(low, high float64, zero bool) Scale {
	low, high = min(max(low, -most), most), min(max(high, -most), most)
	if zero || low >= 0 && low < high/2 {
		low = min(low, 0)
	}
	if zero || high <= 0 && high > low/2 {
		high = max(high, 0)
	}
	if high-low <= 0 {
		low, high = min(low, 0), max(high, 1)
	}
	raw := (high - low) / 5
	size := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * size
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*size >= raw*0.999 {
			step = m * size
			break
		}
	}
	s := Scale{math.Floor(low/step+1e-9) * step, math.Ceil(high/step-1e-9) * step, step}
	if !zero { // lines do not run on the edge
		if s.Min != 0 && low-s.Min < step/20 {
			s.Min -= step
		}
		if s.Max != 0 && s.Max-high < step/20 {
			s.Max += step
		}
	}
	return s
}
