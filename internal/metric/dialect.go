package metric

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// What DuckDB writes differently from other engines stands in this file; the rest of the
// generated SQL is common to DuckDB and Spark SQL.

// startOf is the first day of the step ("week", "month", …) that holds a date.
func startOf(step, date string) string { return "date_trunc('" + step + "', " + date + ")::DATE" }

// plus is the date n steps later, earlier when n is negative.
func plus(date string, n int, step string) string {
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	return "(" + date + " " + sign + " INTERVAL " + strconv.Itoa(n) + " " + step + ")::DATE"
}

// each makes a row for every step from one date to another, the latter included.
func each(step, from, to string) string {
	return "unnest(generate_series(" + from + ", " + to + ", INTERVAL 1 " + step + "))::DATE"
}

// isWeekday is true from Monday to Friday.
func isWeekday(date string) string { return "isodow(" + date + ") < 6" }

// daysFrom is the number of days from one date to another.
func daysFrom(from, to string) string { return "(" + to + " - " + from + ")" }

// firstDay and lastDay are before and after all days.
const firstDay, lastDay = "DATE '0001-01-01'", "DATE '9999-12-31'"

func dateText(d quantity.Day) string { return "DATE " + warehouse.QuoteText(d.String()) }

// undated is a text without the months, years and other numbers that tell its invoices apart:
// "Managed Services March 2026" is Managed Services.
func undated(text string) string {
	return `nullif(trim(regexp_replace(regexp_replace(` + text + `, '(?i)\b(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t|tember)?|oct(ober)?|nov(ember)?|dec(ember)?|q[1-4])\b|[0-9]+([.,/-][0-9]+)*', '', 'g'), '\(\s*\)|\s+', ' ', 'g'), ' -:,.'), '')`
}

// hasText and beginsWith compare without regard to case.
func hasText(text, part string) string {
	return "contains(lower(" + text + "), lower(" + part + "))"
}

func beginsWith(text, part string) string {
	return "starts_with(lower(" + text + "), lower(" + part + "))"
}

// firstKnown aggregates a column to its first value that is not null.
func firstKnown(column, order string) string {
	return "first(" + column + " ORDER BY " + order + ") FILTER (WHERE " + column + " IS NOT NULL)"
}

// lastKnown is the column's value of the newest row so far, in the window named since, in
// which it is not null.
func lastKnown(column string) string { return "last_value(" + column + " IGNORE NULLS) OVER since" }

// divided is an amount by a whole number, to ten decimals, without DuckDB's division,
// which works on floats. The amount must be under 10^18.
func divided(amount, by string) string {
	return "((((" + amount + ")::DECIMAL(38,10) * 10000000000)::HUGEINT // (" + by + "))::DECIMAL(38,0) * 0.0000000001::DECIMAL(10,10))"
}

// byRate is an amount by a rate of six decimals above 0, to ten decimals. The amount must
// be under 10^18.
func byRate(amount, by string) string {
	return "((((" + amount + ")::DECIMAL(38,10) * 10000000000)::HUGEINT * 1000000 // (" + by + " * 1000000)::HUGEINT)::DECIMAL(38,0) * 0.0000000001::DECIMAL(10,10))"
}

// inverted is 1 / a rate of six decimals, to ten decimals.
func inverted(rate string) string {
	return "((10000000000000000 // (" + rate + " * 1000000)::HUGEINT)::DECIMAL(20,0) * 0.0000000001::DECIMAL(10,10))::DECIMAL(20,10)"
}

// cycles are the billing cycles by their number of months, as a fraction (domain.md 2.1).
// A name that is not listed, or none, is a month.
var cycles = []struct {
	times, months int // so often in so many months
	names         string
}{
	{52, 12, "weekly,week,1 week"},
	{26, 12, "biweekly,bi-weekly,two-weekly,2-weekly,2 weeks,every two weeks,every 2 weeks,fortnightly"},
	{13, 12, "four-weekly,4-weekly,4 weeks,every four weeks,every 4 weeks"},
	{1, 3, "quarterly,quarter,3 months,every 3 months,three-monthly"},
	{1, 6, "half-yearly,half yearly,semiannual,semi-annual,semiannually,semi-annually,biannual,6 months,every 6 months"},
	{1, 12, "yearly,year,annual,annually,12 months,1 year,every year"},
	{1, 36, "three-yearly,3-yearly,triennial,triennially,3 years,36 months"},
}

// monthly is the amount a month of an amount a billing cycle.
func monthly(amount, cycle string) string {
	times, months := cycleParts(cycle)
	return divided("("+amount+")::DECIMAL(38,10) * "+times, months)
}

// cycleParts are how often a billing cycle comes in how many months. The cycle is looked up:
// a CASE over lists of names becomes a join for each list, and one over single names a
// comparison for each, which take longer to plan than the rows take to read.
func cycleParts(cycle string) (times, months string) {
	var often, span []string
	for _, c := range cycles {
		for name := range strings.SplitSeq(c.names, ",") {
			often = append(often, fmt.Sprintf("'%s': %d", name, c.times))
			span = append(span, fmt.Sprintf("'%s': %d", name, c.months))
		}
	}
	factor := func(of []string) string {
		return "coalesce(map_extract_value(MAP {" + strings.Join(of, ", ") + "}, lower(trim(" + cycle + "))), 1)"
	}
	return factor(often), factor(span)
}

// hasWord is true when a text holds one of some words, given with | between them.
func hasWord(text, words string) string {
	return "regexp_matches(lower(" + text + "), " + warehouse.QuoteText(words) + ")"
}

// hoursFrom is the time from one instant to another in hours, to six decimals.
func hoursFrom(from, to string) string {
	return "((date_diff('second', " + from + ", " + to + ") * 1000000 // 3600)::DECIMAL(18,0) * 0.000001::DECIMAL(6,6))::DECIMAL(18,6)"
}

// instantOf is the first instant of a date.
func instantOf(date string) string { return "CAST(" + date + " AS TIMESTAMP)" }

// localTime is an instant as the clocks of the tenant show it.
func localTime(instant string) string {
	return "timezone(" + zoneMark + ", timezone('UTC', " + instant + "))"
}

// laterBy is the date a number of months later, which may be an expression.
func laterBy(date, months string) string {
	return "(" + date + " + to_months((" + months + ")::INTEGER))::DATE"
}

// monthsFrom is the number of months between two dates, by their months.
func monthsFrom(from, to string) string { return "date_diff('month', " + from + ", " + to + ")" }

// terms are the lengths of contracts by their number of months.
var terms = map[int]string{
	1:  "monthly,month,1 month,p1m,month to month,m2m",
	12: "annual,yearly,year,1 year,p1y,12 months,annually,1-year,annual commitment",
	36: "triennial,3 year,3 years,p3y,36 months,3-year,three years",
}

// termMonths is the length in months of a term by its name, null when it has none.
func termMonths(term string) string {
	var list []string
	for _, months := range []int{1, 12, 36} {
		for name := range strings.SplitSeq(terms[months], ",") {
			list = append(list, fmt.Sprintf("'%s': %d", name, months))
		}
	}
	return "map_extract_value(MAP {" + strings.Join(list, ", ") + "}, lower(trim(" + term + ")))"
}
