// Package quantity holds numbers that carry their meaning: decimals, units, days,
// periods and grains.
//
// It owns exact decimal values and calendar arithmetic on plain dates. It does not own
// formulas (metric) or parsing of a user's files (dataset).
package quantity

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Decimal is an exact decimal number. Money is never a float.
type Decimal = decimal.Decimal

// Minus is the sign of negative numbers in what people read: U+2212. What programs read has a
// hyphen.
const Minus = "\u2212"

// ParseDecimal reads a plain decimal such as "-12.50" (no grouping, "." as decimal mark).
func ParseDecimal(s string) (Decimal, error) {
	d, err := decimal.NewFromString(s)
	if err != nil {
		return Decimal{}, fault.Newf(fault.Invalid, "%q is not a decimal number such as 1234.50", s)
	}
	return d, nil
}

// Float returns the float nearest to d, as d.InexactFloat64 does and mostly without making
// fractions of it: a coefficient of 15 digits and a power of ten up to 10^22 are exact floats,
// and their quotient is rounded once.
func Float(d Decimal) float64 {
	scale := -int(d.Exponent())
	if scale >= 0 && scale < len(powersOfTen) && d.NumDigits() <= 15 {
		return float64(d.CoefficientInt64()) / powersOfTen[scale]
	}
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil {
		return d.InexactFloat64() // out of range
	}
	return f
}

var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// AppendDecimal appends what d.String() returns.
func AppendDecimal(b []byte, d Decimal) []byte {
	scale := -int(d.Exponent())
	if scale < 0 || scale > 18 || d.NumDigits() > 18 {
		return append(b, d.String()...)
	}
	n := d.CoefficientInt64()
	for scale > 0 && n%10 == 0 {
		n /= 10
		scale--
	}
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	if scale == 0 {
		return strconv.AppendInt(b, n, 10)
	}
	unit := int64(1)
	for range scale {
		unit *= 10
	}
	b = append(strconv.AppendInt(b, n/unit, 10), '.')
	for rest := n % unit; rest < unit/10; unit /= 10 { // zeros after the point
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n%unit, 10)
}

// Unit says what a number counts.
type Unit string

// The units.
const (
	Money         Unit = "money"           // amount in a currency, four decimals kept
	MoneyPerMonth Unit = "money_per_month" // amount a month
	MoneyPerHour  Unit = "money_per_hour"  // rate
	Hours         Unit = "hours"           // decimal hours
	Ratio         Unit = "ratio"           // 0.25 is 25 %
	Count         Unit = "count"           // whole things
	Days          Unit = "days"
	PerEndpoint   Unit = "per_endpoint" // things per managed device
	Text          Unit = "text"         // a dimension's value
	Date          Unit = "date"
)

// Day is a plain calendar date, without zone or time.
type Day struct{ t time.Time }

// NewDay returns the given date; out-of-range parts roll over as in time.Date.
func NewDay(year int, month time.Month, day int) Day {
	return Day{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DayOf returns the calendar date that t shows in its own zone.
func DayOf(t time.Time) Day { return NewDay(t.Year(), t.Month(), t.Day()) }

// ParseDay reads "2026-03-01", or "2026-03" and "2026", which mean the first day of that
// month or year.
func ParseDay(s string) (Day, error) {
	for _, form := range []string{"2006-01-02", "2006-01", "2006"} {
		if len(s) == len(form) {
			if t, err := time.Parse(form, s); err == nil {
				return Day{t}, nil
			}
		}
	}
	return Day{}, fault.Newf(fault.Invalid, "%q is not a date: write 2026-03-01, 2026-03 or 2026", s)
}

// The years that can be asked about.
const firstYear, lastYear = 1900, 2200

// AskedDay is ParseDay for dates that people ask about: of the years 1900 to 2200.
func AskedDay(s string) (Day, error) {
	d, err := ParseDay(s)
	if err != nil {
		return d, err
	}
	if !d.Askable() {
		return Day{}, fault.Newf(fault.Invalid, "%q is out of range: write a date of the years %d to %d", s, firstYear, lastYear)
	}
	return d, nil
}

// Askable reports whether the date is of a year that can be asked about.
func (d Day) Askable() bool { return d.t.Year() >= firstYear && d.t.Year() <= lastYear }

// String returns the date as "2026-03-01", or "" for the zero Day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.t.Format("2006-01-02")
}

// IsZero reports whether d is no date at all.
func (d Day) IsZero() bool { return d.t.IsZero() }

// Time returns midnight UTC of the date.
func (d Day) Time() time.Time { return d.t }

// Before reports whether d is earlier than e.
func (d Day) Before(e Day) bool { return d.t.Before(e.t) }

// AddDays returns the date n days later (earlier when n is negative).
func (d Day) AddDays(n int) Day { return Day{d.t.AddDate(0, 0, n)} }

// AddMonths returns the first day of the month n months after d's month.
func (d Day) AddMonths(n int) Day { return NewDay(d.t.Year(), d.t.Month()+time.Month(n), 1) }

// Month returns the first day of d's month.
func (d Day) Month() Day { return d.AddMonths(0) }

// DaysUntil returns the number of days from d to e, negative when e is earlier.
func (d Day) DaysUntil(e Day) int { return int(e.t.Sub(d.t).Hours() / 24) }

// MarshalText writes the date as "2026-03-01", the zero Day as "".
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Day) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Day{}
		return nil
	}
	v, err := ParseDay(string(b))
	*d = v
	return err
}

// Period is the half-open range of dates [From, To): To is the first day not included.
// A zero end is open; the zero Period is all time.
type Period struct {
	From Day `json:"from"`
	To   Day `json:"to"`
}

// ParsePeriod reads both ends; an empty text is an open end.
func ParsePeriod(from, to string) (Period, error) {
	var p Period
	var err error
	if from != "" {
		if p.From, err = AskedDay(from); err != nil {
			return p, err
		}
	}
	if to != "" {
		if p.To, err = AskedDay(to); err != nil {
			return p, err
		}
	}
	if from != "" && to != "" && !p.From.Before(p.To) {
		return p, fault.Newf(fault.Invalid, "the period %s to %s is empty: the end is the first day not included and must be after the start", from, to)
	}
	return p, nil
}

// MonthOf returns the calendar month that holds d.
func MonthOf(d Day) Period { return Period{d.Month(), d.AddMonths(1)} }

// Bounded reports whether both ends are set.
func (p Period) Bounded() bool { return !p.From.IsZero() && !p.To.IsZero() }

// Contains reports whether d lies in the period.
func (p Period) Contains(d Day) bool {
	return (p.From.IsZero() || !d.Before(p.From)) && (p.To.IsZero() || d.Before(p.To))
}

// WholeMonths reports whether both ends, where set, are first days of months.
func (p Period) WholeMonths() bool {
	return (p.From.IsZero() || p.From == p.From.Month()) && (p.To.IsZero() || p.To == p.To.Month())
}

// WholeMonthsOrWeeks reports whether each end, where set, is the first day of a month or a
// Monday.
func (p Period) WholeMonthsOrWeeks() bool {
	whole := func(d Day) bool { return d.IsZero() || d == d.Month() || d.Time().Weekday() == time.Monday }
	return whole(p.From) && whole(p.To)
}

// Months returns the first day of every month that a bounded period touches.
func (p Period) Months() []Day {
	var months []Day
	if !p.Bounded() {
		return nil
	}
	for m := p.From.Month(); m.Before(p.To); m = m.AddMonths(1) {
		months = append(months, m)
	}
	return months
}

// Previous returns the period of the same length that ends where p begins: whole months
// before whole months, otherwise the same number of days. p must be bounded.
func (p Period) Previous() Period {
	if p.WholeMonths() {
		return Period{p.From.AddMonths(-len(p.Months())), p.From}
	}
	return Period{p.From.AddDays(-p.From.DaysUntil(p.To)), p.From}
}

// String returns "2026-02-01 to 2026-03-01", with "…" for an open end.
func (p Period) String() string {
	end := func(d Day) string {
		if d.IsZero() {
			return "…"
		}
		return d.String()
	}
	return fmt.Sprintf("%s to %s", end(p.From), end(p.To))
}

// Words writes a bounded period for people, its last day or month included: "June 2026",
// "July 2025 to June 2026", "2026-01-05 to 2026-01-18".
func (p Period) Words() string {
	last := p.To.AddDays(-1)
	switch {
	case !p.Bounded():
		return p.String()
	case p.From != p.From.Month() || p.To != p.To.Month():
		if p.From == last {
			return last.String()
		}
		return p.From.String() + " to " + last.String()
	case p.From == last.Month():
		return last.t.Format("January 2006")
	}
	return p.From.t.Format("January 2006") + " to " + last.t.Format("January 2006")
}

// Grain is a step of time.
type Grain string

// The grains, finest first.
const (
	ByDay     Grain = "day"
	ByWeek    Grain = "week"
	ByMonth   Grain = "month"
	ByQuarter Grain = "quarter"
	ByYear    Grain = "year"
)
