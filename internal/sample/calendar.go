package sample

import (
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// holiday is one public holiday on the day it is observed.
type holiday struct {
	day  quantity.Day
	name string
}

// calendar is the range of whole months that the data covers.
type calendar struct {
	months   []quantity.Day // first day of each month
	end      quantity.Day   // first day after the last month
	holidays []holiday      // of every calendar year touched, in order
	closed   map[quantity.Day]bool
}

// newCalendar covers the n months up to the last whole month that is over on asOf.
func newCalendar(asOf quantity.Day, n int) calendar {
	c := calendar{end: asOf.AddDays(1).Month(), closed: map[quantity.Day]bool{}}
	for i := range n {
		c.months = append(c.months, c.end.AddMonths(i-n))
	}
	for year := c.months[0].Time().Year(); year <= c.lastDay().Time().Year(); year++ {
		c.holidays = append(c.holidays, holidaysOf(year)...)
	}
	for _, h := range c.holidays {
		c.closed[h.day] = true
	}
	return c
}

// lastDay is the last day that has data.
func (c calendar) lastDay() quantity.Day { return c.end.AddDays(-1) }

// recent is the period of the planted profit truths: the last twelve months, or all when
// there are fewer. It returns the index of its first month.
func (c calendar) recent() int { return max(0, len(c.months)-12) }

// quarter is the index of the first of the last three months.
func (c calendar) quarter() int { return len(c.months) - 3 }

// open reports whether the firm works on d.
func (c calendar) open(d quantity.Day) bool {
	weekday := d.Time().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday && !c.closed[d]
}

// previousOpen returns the last working day before d.
func (c calendar) previousOpen(d quantity.Day) quantity.Day {
	for d = d.AddDays(-1); !c.open(d); d = d.AddDays(-1) {
	}
	return d
}

// season is the demand of a month in thousandths of the average: busy after New Year and
// in September, quiet in summer and December.
func (c calendar) season(m int) int {
	return [...]int{1040, 1030, 1015, 1000, 990, 985, 950, 960, 1045, 1030, 1005, 950}[c.months[m].Time().Month()-1]
}

// month returns the index of the month that holds d; it may lie outside the range.
func (c calendar) month(d quantity.Day) int {
	a, b := c.months[0].Time(), d.Time()
	return (b.Year()-a.Year())*12 + int(b.Month()-a.Month())
}

// at returns the first day of month m, which may lie outside the range.
func (c calendar) at(m int) quantity.Day { return c.months[0].AddMonths(m) }

// holidaysOf returns the holidays that the firm keeps in a year, as observed in the US: a
// Saturday's is kept on the Friday before, a Sunday's on the Monday after.
func holidaysOf(year int) []holiday {
	fixed := func(month time.Month, day int) quantity.Day {
		d := quantity.NewDay(year, month, day)
		switch d.Time().Weekday() {
		case time.Saturday:
			return d.AddDays(-1)
		case time.Sunday:
			return d.AddDays(1)
		}
		return d
	}
	// nth returns the nth given weekday on or after the first of a month.
	nth := func(month time.Month, weekday time.Weekday, n int) quantity.Day {
		d := quantity.NewDay(year, month, 1)
		ahead := (int(weekday) - int(d.Time().Weekday()) + 7) % 7
		return d.AddDays(ahead + 7*(n-1))
	}
	memorial := nth(time.June, time.Monday, 1).AddDays(-7)
	thanks := nth(time.November, time.Thursday, 4)
	all := []holiday{
		{fixed(time.January, 1), "New Year's Day"},
		{memorial, "Memorial Day"},
		{fixed(time.July, 4), "Independence Day"},
		{nth(time.September, time.Monday, 1), "Labor Day"},
		{thanks, "Thanksgiving"},
		{thanks.AddDays(1), "Day after Thanksgiving"},
		{fixed(time.December, 25), "Christmas Day"},
	}
	slices.SortStableFunc(all, func(a, b holiday) int { return a.day.Time().Compare(b.day.Time()) })
	return all
}
