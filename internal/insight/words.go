package insight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// amount writes money for a sentence, rounded half-even. Which currency it is in stays open
// until inCurrency has seen the whole sentence.
func amount(d quantity.Decimal) string {
	text := grouped(d.RoundBank(2).StringFixed(2))
	if rest, negative := strings.CutPrefix(text, quantity.Minus); negative {
		return quantity.Minus + currencyMark + rest
	}
	return currencyMark + text
}

// currencyMark stands where amount leaves room for the currency. The private-use character
// is in no text that a person writes.
const currencyMark = "\uE000"

// inCurrency completes a sentence whose amounts are in the currency of an ISO 4217 code:
// "$3,480.00", "CAD 3,480.00", or "3,480.00" when code is "".
func inCurrency(code, sentence string) string {
	symbol, known := map[string]string{"": "", "EUR": "€", "GBP": "£", "USD": "$"}[code]
	if !known {
		symbol = code + "\u00a0"
	}
	return strings.ReplaceAll(sentence, currencyMark, symbol)
}

// plain writes a number with as few decimals as it has, at most two: "38", "12.5".
func plain(d quantity.Decimal) string {
	s := d.RoundBank(2).StringFixed(2)
	return grouped(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
}

// percent writes a ratio: "42.0%".
func percent(d quantity.Decimal) string {
	return grouped(d.Shift(2).RoundBank(1).StringFixed(1)) + "%"
}

// grouped puts a comma between thousands and the minus sign in front of what is negative.
func grouped(s string) string {
	sign, rest := "", s
	if strings.HasPrefix(s, "-") {
		sign, rest = quantity.Minus, s[1:]
	}
	digits, fraction, hasFraction := strings.Cut(rest, ".")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if hasFraction {
		digits += "." + fraction
	}
	if strings.Trim(digits, "0.,") == "" {
		sign = ""
	}
	return sign + digits
}

// isMoney reports whether a unit is an amount, as such or per month or hour.
func isMoney(u quantity.Unit) bool {
	return u == quantity.Money || u == quantity.MoneyPerMonth || u == quantity.MoneyPerHour
}

// inUnit writes a value as people read its unit.
func inUnit(d quantity.Decimal, u quantity.Unit) string {
	switch u {
	case quantity.Money:
		return amount(d)
	case quantity.MoneyPerMonth:
		return amount(d) + " a month"
	case quantity.MoneyPerHour:
		return amount(d) + " an hour"
	case quantity.Ratio:
		return percent(d)
	case quantity.Hours:
		return plain(d) + " h"
	case quantity.Days:
		return plain(d) + " days"
	}
	return plain(d)
}

// Say writes a value of a unit for people, amounts in the currency of an ISO 4217 code:
// "$3,480.00 a month", "42.0%", "12.5 h".
func Say(d quantity.Decimal, u quantity.Unit, currency string) string {
	return inCurrency(currency, inUnit(d, u))
}

// changeIn writes a change: points for a ratio, otherwise the amount, without sign.
func changeIn(d quantity.Decimal, u quantity.Unit) string {
	if u == quantity.Ratio {
		return d.Abs().Shift(2).RoundBank(1).StringFixed(1) + " points"
	}
	return inUnit(d.Abs(), u)
}

// spoken is a measure's or input's name in a sentence.
func spoken(name string) string { return strings.ReplaceAll(name, "_", " ") }

// titled is a name at the beginning of a sentence: "Margin drop".
func titled(name string) string {
	s := spoken(name)
	return strings.ToUpper(s[:1]) + s[1:]
}

// hundredths writes a number of the statistics: "0.71", "−0.53".
func hundredths(v float64) string {
	return strings.Replace(fmt.Sprintf("%.2f", v), "-", quantity.Minus, 1)
}

// inWords says what moved a measure: "most of it from hours worked (−18.2 points)".
func inWords(c change, unit quantity.Unit) string {
	var parts []string
	for _, d := range c.drivers {
		if changeIn(d.Contribution, unit) == changeIn(quantity.Decimal{}, unit) {
			continue
		}
		sign := "+"
		if d.Contribution.Sign() < 0 {
			sign = quantity.Minus
		}
		parts = append(parts, fmt.Sprintf("%s %s%s", spoken(d.Name), sign, changeIn(d.Contribution, unit)))
	}
	return strings.Join(parts, ", ")
}

// months writes a number of months: "1 month", "12 months".
func months(n int) string {
	if n == 1 {
		return "1 month"
	}
	return fmt.Sprintf("%d months", n)
}

// monthName writes the month of a day: "March 2026".
func monthName(d quantity.Day) string { return d.Time().Format("January 2006") }

// byWeight sorts drivers by the size of their contribution, the largest first.
func byWeight(drivers []Driver) {
	slices.SortStableFunc(drivers, func(a, b Driver) int {
		if c := b.Contribution.Abs().Cmp(a.Contribution.Abs()); c != 0 {
			return c
		}
		return cmp.Compare(a.Name, b.Name)
	})
}

// number is a decimal from a whole number of tenths, hundredths …: number(45, 2) is 0.45.
func number(value int64, places int32) quantity.Decimal { return decimal.New(value, -places) }

// dec is a decimal from a float of the statistics, rounded to ten decimals.
func dec(f float64) quantity.Decimal { return decimal.NewFromFloat(f).Round(10) }

// float is a decimal as the statistics need it: the nearest float.
func float(d quantity.Decimal) float64 { return quantity.Float(d) }
