package insight

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// RuleHolds is the kind of a finding of one of the tenant's own rules. What it has at stake
// is the rule's measure of money, scaled to a year; nothing when the rule names none.
const RuleHolds Kind = "rule"

// rules reports what the tenant's own rules find.
func (a *analysis) rules(ctx context.Context) error {
	all, err := a.metrics.Rules(ctx, a.scope)
	if err != nil {
		return err
	}
	for _, r := range all {
		found, err := a.rule(ctx, r)
		if fault.KindOf(err) == fault.Canceled {
			return err
		}
		if err != nil { // Evaluate says so: one rule does not keep all other findings away
			continue
		}
		for _, f := range found {
			a.report(f)
		}
	}
	return nil
}

// rule returns the findings of one rule over the last of the analysis' months.
func (a *analysis) rule(ctx context.Context, r metric.Rule) ([]Finding, error) {
	m, err := a.metrics.Measure(r.Measure)
	if err != nil {
		return nil, err
	}
	q := metric.Query{Measures: []string{r.Measure}, Where: both(r.Where, r.Condition), Period: last(a.period, r.Months), Snapshot: a.snapshot}
	if r.Dimension != "" {
		q.Dimensions = []string{r.Dimension}
	}
	if r.Money != "" && r.Money != r.Measure {
		q.Measures = append(q.Measures, r.Money)
	}
	result, err := a.metrics.Run(ctx, a.scope, q)
	if err != nil {
		return nil, err
	}
	var out []Finding
	n := len(q.Dimensions)
	for i, row := range result.Rows {
		f := Finding{Kind: RuleHolds, Subject: Subject{Dimension: firm}, Measure: r.Measure, Unit: m.Unit, Period: q.Period, Currency: result.CurrencyOf(i, 0),
			Facts: map[string]string{"rule": r.Name, "condition": r.Condition, "then": r.Then, "version": fmt.Sprint(r.Version)}, Recommendation: r.Description}
		f.Query = q
		f.Query.Where = r.Where
		if n > 0 {
			f.Subject = Subject{Dimension: r.Dimension, Value: text(row[0])}
			f.Query.Where = both(r.Where, is(r.Dimension, text(row[0])))
		}
		if v, ok := row[n].(quantity.Decimal); ok {
			value := v.Round(placesOf(m.Unit))
			f.Value = &value
			f.Headline = fmt.Sprintf("%s: %s of %s is %s (%s).", r.Name, spoken(m.Name), f.Subject, inUnit(v, m.Unit), q.Period.Words())
		} else {
			f.Headline = fmt.Sprintf("%s: holds for %s (%s).", r.Name, f.Subject, q.Period.Words())
		}
		if money, ok := row[len(row)-1].(quantity.Decimal); ok && r.Money != "" {
			f.MoneyAtStake = yearly(money.Abs(), r.Money, a.metrics, len(q.Period.Months()))
		}
		if f.Recommendation == "" {
			f.Recommendation = fmt.Sprintf("Look at what is behind it: %s.", r.Condition)
		}
		f.Confidence = a.quality.rule(m)
		out = append(out, f)
	}
	return out, nil
}

// yearly scales an amount of so many months to a year; an amount a month is one of one.
func yearly(amount quantity.Decimal, measure string, c *metric.Catalog, months int) quantity.Decimal {
	if m, err := c.Measure(measure); err == nil && m.Unit == quantity.MoneyPerMonth {
		months = 1
	}
	return amount.Mul(decimal.NewFromInt(yearMonths)).DivRound(decimal.NewFromInt(int64(max(months, 1))), ratioPlaces)
}

// rule is the confidence of a figure of any measure: how complete is what it is made of. It
// has no interval: the figure is that of closed months.
func (q quality) rule(m *metric.Measure) Confidence {
	match, limits := q.matched()
	components := []Component{match}
	base := m.BaseInputs()
	if slices.Contains(base, laborCost) || slices.Contains(base, "hours_worked") || slices.Contains(base, "billable_hours") {
		_, time, more := q.timeCoverage()
		components, limits = append(components, time), append(limits, more...)
	}
	if slices.Contains(base, "direct_cost") {
		direct, more := q.directCost()
		components, limits = append(components, direct), append(limits, more...)
	}
	limits = append(limits, limit{stats.Medium, "a rule's figure is the past one: no interval is made of it"})
	return confide(components, 0, limits...)
}

// ruleEvidence is what a proposal of a rule shows, in the words of the review queue.
func ruleEvidence(r metric.Rule, f Finding) json.RawMessage {
	value := ""
	if f.Value != nil {
		value = f.Value.String()
	}
	out, err := json.Marshal(map[string]any{
		"kind": "rule", "name": f.Subject.String(), "why": []string{strings.TrimSuffix(f.Headline, ".")}, "rows": 0,
		"rule": r.Name, "version": r.Version, "condition": r.Condition, "measure": f.Measure, "value": value, "period": f.Period, "finding": f.ID,
	})
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return out
}
