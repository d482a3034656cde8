package question

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// amounts adds money up by ISO 4217 code: two currencies are never added. The code is "" for
// amounts that name none.
type amounts map[string]quantity.Decimal

func (m amounts) add(currency string, d quantity.Decimal) { m[currency] = m[currency].Add(d) }

// say writes the amounts side by side: "$1,200.00 a month and CAD 300.00 a month"; those that
// are zero are left out when another is not.
func (m amounts) say(u quantity.Unit) string {
	codes := slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(c string) bool { return m[c].IsZero() })
	if len(codes) == 0 {
		only := ""
		if all := slices.Collect(maps.Keys(m)); len(all) == 1 {
			only = all[0]
		}
		return insight.Say(quantity.Decimal{}, u, only)
	}
	parts := make([]string, len(codes))
	for i, c := range codes {
		parts[i] = insight.Say(m[c], u, c)
	}
	return strings.Join(parts, " and ")
}

// zero reports whether all of the amounts are.
func (m amounts) zero() bool {
	for _, d := range m {
		if !d.IsZero() {
			return false
		}
	}
	return true
}

// house returns the currency of amounts that name none: the only one that any amount of the
// data names, "" when none does or several are.
func (a *asked) house(ctx context.Context) (string, error) {
	r, err := a.run(ctx, metric.Query{Measures: []string{"revenue", "expense_amount", "labor_cost"}})
	if err != nil || len(r.Rows) == 0 {
		return "", err
	}
	var all []string
	for i := range 3 {
		all = append(all, r.CurrenciesOf(0, i)...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 1 {
		return all[0], nil
	}
	return "", nil
}

// sureOf makes the answer as sure as a measure is.
func (a *asked) sureOf(ctx context.Context, measure, where string, period quantity.Period) error {
	e, err := a.insights.Explain(ctx, a.scope, insight.ExplainRequest{Measure: measure, Where: where, Period: period, Brief: true})
	if err != nil {
		return err
	}
	a.sure(e.Confidence)
	return nil
}

// sureOfLicenses makes the answer as sure as what the subscriptions state.
func (a *asked) sureOfLicenses(ctx context.Context) error {
	c, err := a.insights.SureOfLicenses(ctx, a.scope, a.Period.To, a.req.Client)
	a.sure(c)
	return err
}

// stake is a part of a sum and how sure it is.
type stake struct {
	name   string
	amount quantity.Decimal // of any currency: only its weight among the others matters
	insight.Confidence
}

// sureOfHalf makes the answer about a sum as sure as at least half of the sum is, and says
// how the parts are graded.
func (a *asked) sureOfHalf(parts []stake, thing string) {
	if len(parts) == 0 {
		return
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(x, y stake) int { return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.name, y.name)) })
	var total, seen quantity.Decimal
	grades := map[string]int{}
	for _, p := range parts {
		total = total.Add(p.amount.Abs())
		grades[p.Grade]++
	}
	middle := parts[len(parts)-1]
	for _, p := range parts {
		if seen = seen.Add(p.amount.Abs()); !seen.Add(seen).LessThan(total) {
			middle = p
			break
		}
	}
	var tally []string
	for _, g := range []string{"high", "medium", "low", "no_answer"} {
		if grades[g] > 0 {
			tally = append(tally, count(grades[g], "")+" "+strings.ReplaceAll(g, "_", " "))
		}
	}
	a.Grade = middle.Grade
	a.Reasons = append([]string{"at least half of the amount is this sure or surer; by " + thing + ": " + strings.Join(tally, ", ")}, middle.Reasons...)
}

// withOthers writes the first few of many names: "A, B and 3 others".
func withOthers(names []string, most int) string {
	if len(names) <= most {
		if n := len(names); n > 1 {
			return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
		}
		return strings.Join(names, "")
	}
	return strings.Join(names[:most], ", ") + " and " + count(len(names)-most, "other")
}

// reason says why a measure of a row has no value, "" when it has one.
func reason(r *metric.Result, row int, measure string) string {
	if row < len(r.Reasons) {
		return r.Reasons[row][measure]
	}
	return ""
}

// onDay writes a day for a sentence: "June 30, 2026".
func onDay(d quantity.Day) string { return d.Time().Format("January 2, 2006") }
