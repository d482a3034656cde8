package quantity

import (
	"fmt"
	"strings"
)

// dimensions are what a unit is made of, each with its power: money an hour is money¹
// hours⁻¹. A ratio has none.
type dimensions [kinds]int8

// The kinds of things that numbers count. Things (clients, tickets, seats) are one kind:
// the measure's name says which.
const (
	ofMoney = iota
	ofHours
	ofThings
	ofDays
	ofMonths
	kinds
)

// symbols are the kinds in the names of units: above and below the line.
var symbols = [kinds]struct{ above, below, words string }{
	{"money", "money", "an amount of money"}, {"hours", "hour", "hours"}, {"count", "count", "a number of things"}, {"days", "day", "days"}, {"months", "month", "months"},
}

// Months is the unit of a number of months.
const Months Unit = "months"

// Quantity is a unit in the making: a product of units that need not have a name yet.
type Quantity struct{ d dimensions }

// QuantityOf returns what a unit is made of; ok is false for a unit of texts or dates, and
// for a name that is none.
func QuantityOf(u Unit) (q Quantity, ok bool) {
	switch u {
	case Ratio, PerEndpoint: // things per thing
		return q, true
	case "":
		return q, false
	}
	above, below, _ := strings.Cut(string(u), "_per_")
	add := func(name string, power int8) bool {
		for i, s := range symbols {
			if power > 0 && name == s.above || power < 0 && name == s.below {
				q.d[i] += power
				return true
			}
		}
		return power > 0 && name == "1"
	}
	if !add(above, 1) {
		return q, false
	}
	return q, below == "" || add(below, -1)
}

// Times is the product of two quantities.
func (q Quantity) Times(r Quantity) Quantity {
	for i := range q.d {
		q.d[i] += r.d[i]
	}
	return q
}

// Per is the quotient of two quantities.
func (q Quantity) Per(r Quantity) Quantity {
	for i := range q.d {
		q.d[i] -= r.d[i]
	}
	return q
}

// Unit returns the unit's name: one kind of thing, at most, above the line and one below;
// ok is false for anything else, such as hours times hours.
func (q Quantity) Unit() (u Unit, ok bool) {
	above, below := "", ""
	for i, power := range q.d {
		switch {
		case power == 0:
		case power == 1 && above == "":
			above = symbols[i].above
		case power == -1 && below == "":
			below = symbols[i].below
		default:
			return "", false
		}
	}
	switch {
	case above == "" && below == "":
		return Ratio, true
	case below == "":
		return Unit(above), true
	case above == "":
		above = "1"
	}
	return Unit(above + "_per_" + below), true
}

// Words says the quantity for people: "an amount of money per hour".
func (q Quantity) Words() string {
	var above, below []string
	for i, power := range q.d {
		for range power {
			above = append(above, symbols[i].words)
		}
		for range -power {
			below = append(below, symbols[i].below)
		}
	}
	text := strings.Join(above, " times ")
	switch {
	case len(above) == 0 && len(below) == 0:
		return "a ratio"
	case len(above) == 0:
		text = "a number"
	}
	for _, b := range below {
		if b == "count" {
			b = "thing"
		}
		text += " per " + b
	}
	return text
}

// HasMoney reports whether the unit is made of an amount in a currency.
func (u Unit) HasMoney() bool {
	q, _ := QuantityOf(u)
	return q.d[ofMoney] != 0
}

// Mismatch says why two quantities cannot be added or compared, and what can be done.
func Mismatch(a string, x Quantity, b string, y Quantity) string {
	hint := fmt.Sprintf("divide them (%s / %s) for a rate", a, b)
	rest := x.Per(y).d
	switch {
	case rest == dimensions{ofMonths: 1} || rest == dimensions{ofMonths: -1}:
		month := a
		if rest[ofMonths] > 0 {
			month = b
		}
		hint = fmt.Sprintf("multiply %s by months", month)
	case rest == dimensions{ofMoney: 1, ofHours: -1} || rest == dimensions{ofMoney: -1, ofHours: 1}:
		hours := a
		if rest[ofMoney] > 0 {
			hours = b
		}
		hint = fmt.Sprintf("value the hours first (%s * labor_cost_rate), or %s", hours, hint)
	case x.d == dimensions{} || y.d == dimensions{}:
		hint = "multiply by the ratio instead"
	}
	return fmt.Sprintf("%s is %s and %s is %s: %s", a, x.Words(), b, y.Words(), hint)
}
