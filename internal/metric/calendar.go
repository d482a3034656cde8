package metric

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Calendar is a tenant's fiscal year. The zero Calendar is the calendar year.
type Calendar struct {
	// StartMonth is the month, 1 to 12, that the fiscal year begins with, or near whose
	// first day it begins when it is made of weeks. 0 means 1.
	StartMonth int `json:"start_month" minimum:"0" maximum:"12" doc:"month that the fiscal year begins with"`
	// Weeks is how the 13 weeks of a quarter make three periods; "" is calendar months.
	Weeks string `json:"weeks" enum:",4-4-5,4-5-4,5-4-4" doc:"weeks of the three periods of a quarter; empty: calendar months"`
	// EndsOn is the weekday that a year of weeks ends on, such as "saturday".
	EndsOn string `json:"ends_on" enum:",monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"weekday that the year ends on; only with weeks"`
	// Rule says which of them: the "last" of the month before StartMonth, or the one
	// "nearest" to that month's end. A year has 53 weeks when the rule asks for it; the
	// week belongs to the last period.
	Rule string `json:"rule" enum:",last,nearest" doc:"the last such weekday of the month, or the nearest to its end; only with weeks"`
}

var weekPatterns = map[string][3]int{"4-4-5": {4, 4, 5}, "4-5-4": {4, 5, 4}, "5-4-4": {5, 4, 4}}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// checked returns the calendar as it is kept, or every wrong part of it.
func (c Calendar) checked() (Calendar, error) {
	var wrong []fault.Field
	c.EndsOn, c.Rule = strings.ToLower(strings.TrimSpace(c.EndsOn)), strings.ToLower(strings.TrimSpace(c.Rule))
	if c.StartMonth == 0 {
		c.StartMonth = 1
	}
	if c.StartMonth < 1 || c.StartMonth > 12 {
		wrong = append(wrong, fault.Field{Path: "start_month", Message: "must be 1 to 12"})
	}
	if c.Weeks == "" {
		if c.EndsOn != "" || c.Rule != "" {
			wrong = append(wrong, fault.Field{Path: "weeks", Message: "a weekday and a rule need a pattern of weeks", Allowed: []string{"4-4-5", "4-5-4", "5-4-4"}})
		}
	} else {
		if _, ok := weekPatterns[c.Weeks]; !ok {
			wrong = append(wrong, fault.Field{Path: "weeks", Message: "is not a pattern", Allowed: []string{"4-4-5", "4-5-4", "5-4-4"}})
		}
		if !slices.Contains(weekdays, c.EndsOn) {
			wrong = append(wrong, fault.Field{Path: "ends_on", Message: "must be the weekday that the year ends on", Allowed: weekdays})
		}
		if c.Rule != "last" && c.Rule != "nearest" {
			wrong = append(wrong, fault.Field{Path: "rule", Message: "must say which of these days ends the year", Allowed: []string{"last", "nearest"}})
		}
	}
	if len(wrong) > 0 {
		return c, fault.WithFields("the fiscal calendar is not valid", wrong...)
	}
	return c, nil
}

// String says the calendar for people.
func (c Calendar) String() string {
	month := time.Month(max(c.StartMonth, 1))
	if c.Weeks == "" {
		return fmt.Sprintf("calendar months, the year begins in %s", month)
	}
	return fmt.Sprintf("%s weeks, the year ends on the %s %s of %s", c.Weeks, c.Rule, c.EndsOn, (month+10)%12+1)
}

// start is the first day of the fiscal year that begins in, or near the first day of,
// StartMonth of a calendar year.
func (c Calendar) start(year int) quantity.Day {
	first := quantity.NewDay(year, time.Month(max(c.StartMonth, 1)), 1)
	if c.Weeks == "" {
		return first
	}
	end := first.AddDays(-1)
	back := (int(end.Time().Weekday()) - slices.Index(weekdays, c.EndsOn) + 7) % 7
	if c.Rule == "nearest" && back > 3 {
		back -= 7
	}
	return end.AddDays(1 - back)
}

// year is the calendar year whose start() is the fiscal year that holds a day.
func (c Calendar) year(d quantity.Day) int {
	y := d.Time().Year() + 1
	for d.Before(c.start(y)) {
		y--
	}
	return y
}

// periods are the first days of the 12 periods of a fiscal year.
func (c Calendar) periods(year int) [12]quantity.Day {
	var out [12]quantity.Day
	d := c.start(year)
	for i := range out {
		out[i] = d
		if c.Weeks == "" {
			d = d.AddMonths(1)
		} else {
			d = d.AddDays(7 * weekPatterns[c.Weeks][i%3])
		}
	}
	return out
}

// step is a step of time that cells may have.
type step struct {
	name string
	cal  Calendar
}

// fiscal reports whether a dimension belongs to the fiscal calendar.
func fiscal(dim string) bool { return strings.HasPrefix(dim, "fiscal_") }

// byMonth reports whether the step is made of whole calendar months.
func (s step) byMonth() bool {
	return s.name != "day" && s.name != "week" && !(fiscal(s.name) && s.cal.Weeks != "")
}

// start is the first day of the step that holds a day.
func (s step) start(d quantity.Day) quantity.Day {
	switch s.name {
	case "week":
		return d.AddDays(-(int(d.Time().Weekday()) + 6) % 7)
	case "month":
		return d.Month()
	case "quarter":
		return quantity.NewDay(d.Time().Year(), (d.Time().Month()-1)/3*3+1, 1)
	case "year":
		return quantity.NewDay(d.Time().Year(), 1, 1)
	case "fiscal_period", "fiscal_quarter", "fiscal_year":
		starts := s.cal.periods(s.cal.year(d))
		at := 0
		for i := 0; i < 12; i += s.periods() {
			if !d.Before(starts[i]) {
				at = i
			}
		}
		return starts[at]
	}
	return d
}

// periods is how many periods of a fiscal year the step has.
func (s step) periods() int {
	return map[string]int{"fiscal_period": 1, "fiscal_quarter": 3, "fiscal_year": 12}[s.name]
}

// add is the first day of the step n steps after the one that begins on a day.
func (s step) add(first quantity.Day, n int) quantity.Day {
	switch s.name {
	case "day":
		return first.AddDays(n)
	case "week":
		return first.AddDays(7 * n)
	case "month":
		return first.AddMonths(n)
	case "quarter":
		return first.AddMonths(3 * n)
	case "year":
		return first.AddMonths(12 * n)
	}
	year := s.cal.year(first)
	starts := s.cal.periods(year)
	at := slices.Index(starts[:], first) + n*s.periods()
	for at < 0 {
		at, year = at+12, year-1
	}
	for at >= 12 {
		at, year = at-12, year+1
	}
	return s.cal.periods(year)[at]
}

// yearAgo is the number of steps in a year; days and weeks are shifted by 364 days, so
// that weekdays stand against the same weekdays.
func (s step) yearAgo() int {
	return map[string]int{"day": 364, "week": 52, "month": 12, "fiscal_period": 12, "quarter": 4, "fiscal_quarter": 4}[s.name] + map[string]int{"year": 1, "fiscal_year": 1}[s.name]
}

// fiscalJoin gives each day its fiscal period, quarter and year.
func (q *question) fiscalJoin(day string) string {
	s := step{"fiscal_period", q.calendar}
	until := q.span.To.AddDays(400)
	var rows []string
	for d := s.start(q.span.From.AddDays(-400)); d.Before(until); d = s.add(d, 1) {
		rows = append(rows, fmt.Sprintf("(%s, %s, %s, %s)", dateText(d), dateText(s.add(d, 1)), dateText(step{"fiscal_quarter", q.calendar}.start(d)), dateText(step{"fiscal_year", q.calendar}.start(d))))
	}
	return "LEFT JOIN (VALUES " + strings.Join(rows, ", ") + ") fc(fiscal_period, until, fiscal_quarter, fiscal_year) ON " + day + " >= fc.fiscal_period AND " + day + " < fc.until"
}

// fiscalExpr is a fiscal dimension as SQL.
func (q *question) fiscalExpr(dim, day string) string {
	if q.calendar.Weeks != "" {
		return "fc." + dim
	}
	trunc := map[string]string{"fiscal_period": "month", "fiscal_quarter": "quarter", "fiscal_year": "year"}[dim]
	back := max(q.calendar.StartMonth, 1) - 1
	if back == 0 || trunc == "month" {
		return startOf(trunc, day)
	}
	return plus(startOf(trunc, plus(day, -back, "MONTH")), back, "MONTH")
}

// lastDays are the last days of the steps of a fiscal calendar in the span, none after the
// question's last day.
func (q *question) lastDays(s step) string {
	var rows []string
	for d := s.start(q.span.From); !q.asOf.Before(d); d = s.add(d, 1) {
		day := s.add(d, 1).AddDays(-1)
		if q.asOf.Before(day) {
			day = q.asOf
		}
		rows = append(rows, "("+dateText(day)+")")
	}
	if len(rows) == 0 {
		rows = []string{"(" + dateText(q.asOf) + ")"}
	}
	return "SELECT day, " + startOf("month", "day") + " AS month FROM (VALUES " + strings.Join(rows, ", ") + ") v(day)"
}
