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
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
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

// RuleFindings returns what rules find in what the scope may see of the current snapshot, by rule,
// each over the months given for it, and that snapshot. A rule that the scope may not see, or that
// asks for what is not there any more, has none. Any other failure is one of the whole: that nothing
// could be read does not mean that nothing is found.
func (s *Service) RuleFindings(ctx context.Context, scope tenant.Scope, over map[string]quantity.Period) (map[string][]Finding, warehouse.Snapshot, error) {
	out := map[string][]Finding{}
	rules, err := s.metrics.Rules(ctx, scope)
	if err != nil {
		return nil, 0, err
	}
	a, err := s.analysis(ctx, scope)
	if err != nil {
		return nil, 0, fmt.Errorf("rules: %w", err)
	}
	for _, r := range rules {
		period, asked := over[r.Name]
		if !asked {
			continue
		}
		found, err := a.ruleOver(ctx, r, period)
		switch fault.KindOf(err) {
		case "":
			out[r.Name] = found
		case fault.Forbidden, fault.NotFound, fault.Invalid:
		default:
			return nil, 0, fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	return out, a.snapshot, nil
}

func (a *analysis) ruleOver(ctx context.Context, r metric.Rule, period quantity.Period) ([]Finding, error) {
	if a.period != period {
		if err := a.over(ctx, period); err != nil {
			return nil, err
		}
	}
	found, err := a.rule(ctx, r)
	if err != nil {
		return nil, err
	}
	a.findings = nil
	for _, f := range found {
		a.report(f)
	}
	return a.findings, nil
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

// RuleEvidence is what a proposal of a rule shows.
type RuleEvidence struct {
	Name      string          `json:"name"` // whom it is about
	Why       []string        `json:"why"`
	Rule      string          `json:"rule"`
	Version   int             `json:"version"`
	Condition string          `json:"condition"`
	Measure   string          `json:"measure"`
	Unit      quantity.Unit   `json:"unit"`
	Value     string          `json:"value"` // of the measure, "" when it has none
	Period    quantity.Period `json:"period"`
	Finding   string          `json:"finding"` // the finding's id
	Identity  string          `json:"identity"`
}

func ruleEvidence(r metric.Rule, f Finding) json.RawMessage {
	e := RuleEvidence{Name: f.Subject.String(), Why: []string{strings.TrimSuffix(f.Headline, ".")}, Rule: r.Name, Version: r.Version, Condition: r.Condition,
		Measure: f.Measure, Unit: f.Unit, Period: f.Period, Finding: f.ID, Identity: f.Identity}
	if f.Value != nil {
		e.Value = f.Value.String()
	}
	out, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return out
}
