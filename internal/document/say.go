package document

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

const (
	minus = quantity.Minus
	nbsp  = "\u00a0"
	// Unknown stands for a value that is not known; say why beside it.
	Unknown = "—"
)

// symbols are the currencies that are written with a sign; others are written by code.
var symbols = map[string]string{"": "", "EUR": "€", "GBP": "£", "USD": "$"}

// Say writes a value for a sentence or a tile's exact line, rounded half-even: "$3,480.00",
// "42.0%", "12.5 h". Unknown values are Unknown.
func (v Value) Say() string { return v.say(false, true) }

// SayChange writes a signed difference: "+$120.00", "−3.2 pp".
func (v Value) SayChange() string { return v.signed(true) }

// BareChange writes a signed difference for a table whose header names the unit.
func (v Value) BareChange() string { return v.signed(false) }

func (v Value) signed(unit bool) string {
	text := v.say(true, unit)
	if v.Number != nil && v.Number.Sign() > 0 && !isZero(text) {
		return "+" + text
	}
	return text
}

// Bare writes a value for a table whose header names the unit: "3,480.00", "42.0%", "12.5".
func (v Value) Bare() string { return v.say(false, false) }

func (v Value) say(change, unit bool) string {
	if v.Number == nil {
		return Unknown
	}
	d, tail := *v.Number, ""
	front := ""
	places := int32(2)
	switch {
	case v.Unit == quantity.Ratio && change:
		d, places, tail = d.Shift(2), 1, nbsp+"pp"
	case v.Unit == quantity.Ratio:
		d, places, tail = d.Shift(2), 1, "%"
	case v.Unit == quantity.Count:
		places = 0
	case v.Unit == quantity.Hours:
		places = 1
		if unit {
			tail = nbsp + "h"
		}
	case v.Unit == quantity.Days, v.Unit == quantity.Months:
		places = 1
		if unit {
			tail = nbsp + string(v.Unit)
		}
	case v.Unit.HasMoney():
		if unit {
			front, tail = Mark(v.Currency), perTail(v.Unit)
		}
	}
	text := grouped(d.RoundBank(places).StringFixed(places))
	if v.Unit == quantity.PerEndpoint || !v.Unit.HasMoney() && places == 2 {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return minus + front + rest + tail
	}
	return front + text + tail
}

// Short writes a value for a tile or an axis, four significant digits with k, M and bn:
// "$1.234M", "42.0%". Hours are counted out, as nobody thinks of them in thousands: "17,404 h".
func (v Value) Short() string {
	if v.Number == nil || v.Unit == quantity.Ratio {
		return v.Say()
	}
	size := v.Number.Abs()
	if v.Unit == quantity.Hours && size.LessThan(million) && !size.LessThan(thousand) {
		return v.scaled(0, "", 0)
	}
	if size.LessThan(tenThousand) {
		if v.Unit.HasMoney() && !size.LessThan(thousand) {
			return signed(*v.Number, Mark(v.Currency), grouped(size.RoundBank(0).StringFixed(0)), perTail(v.Unit))
		}
		return v.Say()
	}
	for _, s := range suffixes {
		scaled := size.Shift(-s.power)
		if scaled.LessThan(one) {
			continue
		}
		return v.scaled(s.power, s.text, max(0, 4-int32(len(scaled.Truncate(0).String()))))
	}
	return v.Say()
}

// suffixes are how thousands are written, the largest first.
var suffixes = []struct {
	power int32
	text  string
}{{9, "bn"}, {6, "M"}, {3, "k"}}

// ShortBeside writes a value as Short does the largest of those it stands among, so that an
// axis reads "$0, $5k, $10k". A value that would vanish beside it is written by itself.
func (v Value) ShortBeside(largest quantity.Decimal) string {
	largest = largest.Abs()
	if v.Number == nil || v.Unit == quantity.Ratio || largest.LessThan(thousand) || largest.LessThan(tenThousand) && !v.Unit.HasMoney() {
		return v.Short()
	}
	if v.Number.IsZero() {
		return v.scaled(0, "", 0)
	}
	text := ""
	if largest.LessThan(tenThousand) {
		text = v.scaled(0, "", 0)
	} else {
		for _, s := range suffixes {
			if scaled := largest.Shift(-s.power); !scaled.LessThan(one) {
				text = v.scaled(s.power, s.text, max(0, 4-int32(len(scaled.Truncate(0).String()))))
				break
			}
		}
	}
	if isZero(text) {
		return v.Short()
	}
	return text
}

// scaled writes a value in a power of ten with up to so many places.
func (v Value) scaled(power int32, suffix string, places int32) string {
	text := v.Number.Abs().Shift(-power).RoundBank(places).StringFixed(places)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	front, tail := "", ""
	if v.Unit.HasMoney() {
		front, tail = Mark(v.Currency), perTail(v.Unit)
	} else if v.Unit == quantity.Hours {
		tail = nbsp + "h"
	}
	return signed(*v.Number, front, grouped(text)+suffix, tail)
}

var one, thousand, tenThousand, million = decimal.New(1, 0), decimal.New(1, 3), decimal.New(1, 4), decimal.New(1, 6)

func signed(d quantity.Decimal, front, text, tail string) string {
	if d.Sign() < 0 && !isZero(text) {
		front = minus + front
	}
	return front + text + tail
}

// Mark is what stands before an amount of a currency: "$", "CHF ".
func Mark(currency string) string {
	if s, ok := symbols[currency]; ok {
		return s
	}
	return currency + nbsp
}

// perTail is what stands behind an amount for each of something.
func perTail(u quantity.Unit) string {
	of, ok := strings.CutPrefix(string(u), "money_per_")
	switch {
	case !ok:
		return ""
	case of == "hour":
		return nbsp + "/" + nbsp + "h"
	case of == "count":
		return nbsp + "each"
	}
	return nbsp + "/" + nbsp + strings.ReplaceAll(of, "_", nbsp)
}

// SayUnit names a unit for a column's head: "USD", "USD / month", "h", "%"; "" where the
// label says it all.
func SayUnit(u quantity.Unit, currency string) string {
	switch {
	case u.HasMoney():
		name := currency
		if name == "" {
			name = "amount"
		}
		return name + strings.ReplaceAll(perTail(u), nbsp, " ")
	case u == quantity.Hours:
		return "h"
	case u == quantity.Ratio:
		return "%"
	case u == quantity.Days, u == quantity.Months:
		return string(u)
	}
	return ""
}

// Cell writes a table's cell: numbers bare, dates as they are, months as Mar 2026.
func (t *Table) Cell(r Row, column int) string {
	c := t.Columns[column]
	switch cell := r.Cells[column].(type) {
	case nil:
		return Unknown
	case quantity.Decimal:
		v := Value{Number: &cell, Unit: c.Unit, Currency: t.CurrencyAt(r, column)}
		several, change := c.Currency == "" && r.Currency != "", t.IsChange(r, column)
		switch {
		case several && change:
			return v.SayChange()
		case several: // rows of several currencies
			return v.Say()
		case change:
			return v.BareChange()
		}
		return v.Bare()
	case string:
		if c.Months {
			if day, err := time.Parse(time.DateOnly, cell); err == nil {
				return day.Format("Jan 2006")
			}
		}
		return cell
	}
	return Unknown
}

// SayInterval writes an interval with its level and what it is of: "expected 35.4% to 38.1%
// (90% interval)", for what was counted is not in doubt, but what to expect of it is.
func SayInterval(i Interval, u quantity.Unit, currency string) string {
	low := Value{Number: &i.Low, Unit: u, Currency: currency}.Say()
	high := Value{Number: &i.High, Unit: u, Currency: currency}.Say()
	if i.Of != "" {
		low = i.Of + " " + low
	}
	if i.Level == 0 {
		return low + " to " + high + " (sensitivity)"
	}
	return low + " to " + high + " (" + decimal.NewFromFloat(i.Level).Shift(2).Round(1).String() + "% interval)"
}

// SayGrade writes how sure a figure is.
func SayGrade(grade string) string {
	switch grade {
	case "high":
		return "High confidence"
	case "medium":
		return "Medium confidence"
	case "low":
		return "Low confidence"
	case "no_answer":
		return "No answer"
	}
	return ""
}

// SayDay writes a date for prose: "June 30, 2026".
func SayDay(t time.Time) string { return t.Format("January 2, 2006") }

// Clean leaves out what no page or file of Office can hold: control characters but tab and
// line end, half surrogates, and the marks that would turn the direction of what follows.
// Nothing else of a name is changed.
func Clean(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] <= '~'
	}
	if plain { // most are
		return s
	}
	if !strings.ContainsFunc(s, unwanted) && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unwanted(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func unwanted(r rune) bool {
	switch {
	case r == '\t' || r == '\n':
		return false
	case unicode.IsControl(r), r == 0xFFFE, r == 0xFFFF, r >= 0xD800 && r <= 0xDFFF:
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069: // embeddings, overrides, isolates
		return true
	}
	return false
}

// Inert returns a text as a cell of a CSV file may hold it: a ' stands before what a
// spreadsheet would run as a formula (a text that begins with = + - @, tab or carriage
// return; https://owasp.org/www-community/attacks/CSV_Injection). Written numbers such as
// "-1,234.50" and "+3.2%" stay.
func Inert(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) || text == "-" || writtenNumber(text) {
		return text
	}
	return "'" + text
}

// writtenNumber reports whether a text is a sign, digits with commas, perhaps places, and
// perhaps a percent sign.
func writtenNumber(text string) bool {
	rest := strings.TrimLeft(text[1:], "0123456789,")
	if len(rest) == len(text)-1 || text[1] == ',' || text[0] != '+' && text[0] != '-' {
		return false
	}
	if places, found := strings.CutPrefix(rest, "."); found {
		if rest = strings.TrimLeft(places, "0123456789"); len(rest) == len(places) {
			return false
		}
	}
	return rest == "" || rest == "%" || rest == " %"
}

func grouped(s string) string {
	sign, rest := "", s
	if r, ok := strings.CutPrefix(s, "-"); ok {
		sign, rest = "-", r
	}
	digits, fraction, hasFraction := strings.Cut(rest, ".")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if isZero(rest) {
		sign = ""
	}
	if hasFraction {
		digits += "." + fraction
	}
	return sign + digits
}

// isZero reports whether a written number has no digit but zeros.
func isZero(s string) bool { return !strings.ContainsAny(s, "123456789") }
