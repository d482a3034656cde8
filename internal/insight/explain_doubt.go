package insight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// doubt sets what is uncertain about the value: the interval of what is expected, the band of
// what is known, what is probable, and the confidence.
func (x *explanation) doubt(ctx context.Context, out *Explanation) error {
	m, err := x.metrics.Measure(out.Measure)
	if err != nil {
		return err
	}
	out.Doubt = Doubt{Kind: kindOf(x.metrics, m)}
	h := 0.0
	if out.To.Value != nil {
		of, err := x.estimate(ctx, out, m)
		switch {
		case errors.Is(err, stats.ErrTooFew):
			out.Doubt.TooFew = true
			out.Doubt.Words = "too few months or cases to say what to expect: look at the rows behind it"
		case errors.Is(err, errNoInterval):
			out.Doubt.Words = "the figure is counted on a day: it is as sure as the data"
			if out.Doubt.Kind == kindRatio {
				out.Doubt.Words = "an input of it is not in the data, so nothing can be expected"
			}
		case err != nil:
			return err
		default:
			if h, err = x.setInterval(out, of); err != nil {
				return err
			}
		}
		if err := x.band(ctx, out); err != nil {
			return err
		}
	}
	switch out.Doubt.Kind {
	case kindRatio, kindShare, kindRate:
		return x.confidence(ctx, out, h, out.Doubt.TooFew && x.req.Period.WholeMonths())
	}
	// A sum or count of a closed period is known; what the next one brings is another matter.
	return x.confidence(ctx, out, 0, false)
}

// wideDoubt is doubt of a measure that is no function of its cell's sums: a quantile has an
// interval of its own values, anything else is exact.
func (x *explanation) wideDoubt(ctx context.Context, out *Explanation) error {
	out.Doubt = Doubt{Kind: kindOf(x.metrics, x.measure), Words: "it is computed from the stored values of a closed period: there is nothing to estimate"}
	h := 0.0
	if out.Doubt.Kind == kindQuantile && out.To.Value != nil {
		values, err := x.metrics.Observed(ctx, x.scope, metric.Query{Measures: []string{out.Measure}, Where: x.req.Where, Period: out.To.Period, Snapshot: x.snapshot})
		if err != nil {
			return err
		}
		out.Doubt.N = len(values.Values)
		if h, err = x.setInterval(out, byValues(values)); err != nil {
			return err
		}
		if out.Doubt.TooFew {
			out.Doubt.Words = "too few values to say what to expect: look at the rows behind it"
		}
	}
	return x.confidence(ctx, out, h, out.Doubt.TooFew)
}

// byValues estimates a quantile from the values themselves.
func byValues(o *metric.Observed) estimate {
	return func(level float64) (stats.Interval, error) {
		if !slices.Contains(o.Running, true) {
			return stats.QuantileInterval(o.Values, o.Share, level)
		}
		s, err := stats.KaplanMeier(o.Values, o.Running, level)
		return s.Quantile(o.Share), err
	}
}

// estimate returns the estimator of the expected value that suits the measure's kind.
func (x *explanation) estimate(ctx context.Context, out *Explanation, m *metric.Measure) (of estimate, err error) {
	of, out.Doubt.N, err = x.estimator(ctx, m, x.req.Period, x.req.Where, out.To.Inputs, *out.To.Value)
	return of, err
}

// estimator returns the estimator of a measure's expected value and how many months or cases
// it is made of; inputs are the measure's over p and value the measure there. Errors:
// errNoInterval and stats.ErrTooFew.
func (r reader) estimator(ctx context.Context, m *metric.Measure, p quantity.Period, where string, inputs cell, value quantity.Decimal) (estimate, int, error) {
	kind := kindOf(r.metrics, m)
	if kind == kindShare {
		parts := m.Inputs()
		under := inputs[parts[len(parts)-1]]
		of, err := byCases(inputs[parts[0]], under)
		return of, int(under.IntPart()), err
	}
	if kind == kindStock || kind == kindIndex {
		return nil, 0, errNoInterval
	}
	if !p.WholeMonths() || slices.ContainsFunc(m.BaseInputs(), func(b string) bool { return !slices.Contains(r.dimensionsOf(b), "month") }) {
		return nil, 0, stats.ErrTooFew
	}
	s, err := r.monthlyTotal(ctx, p, where, m.BaseInputs()...)
	if err != nil {
		return nil, 0, err
	}
	s = s.active()
	of, err := r.estimateOf(m.Name, kind, s, inputs, value)
	return of, len(s.cells), err
}

// estimateOf is the estimator of a measure over the months of a series; whole are its inputs
// over all of them and value the measure there.
func (r reader) estimateOf(measure, kind string, s series, whole cell, value quantity.Decimal) (estimate, error) {
	m, err := r.metrics.Measure(measure)
	if err != nil {
		return nil, err
	}
	if kind == kindCount {
		return byCounts(measure, s, 1)
	}
	if kind == kindRate {
		events := m.BaseInputs()[slices.IndexFunc(m.BaseInputs(), func(b string) bool { return !r.metrics.Stock(b) })]
		if exposure, ok := ratio(whole[events], value); ok {
			return byCounts(events, s, float(exposure))
		}
		return nil, stats.ErrTooFew
	}
	f, err := formulaOf(r.metrics, measure)
	if err != nil {
		return nil, err
	}
	f.sums = r.metrics.FlatInputs(m)
	times := 1.0
	if kind == kindSum {
		times = float64(len(s.cells))
	}
	return byMonths(f, s, times)
}

// setInterval sets the interval and what is probable, and returns the half width of the
// interval relative to the decision scale.
func (x *explanation) setInterval(out *Explanation, of estimate) (float64, error) {
	i, err := of(level)
	if err != nil || math.IsNaN(i.Low) || math.IsInf(i.Low, 0) || math.IsNaN(i.High) || math.IsInf(i.High, 0) {
		out.Doubt.TooFew = true
		return 0, nil
	}
	out.Interval = &Interval{Low: dec(i.Low), High: dec(i.High), Level: level, Method: i.Method, Of: expected}
	limits := limitsOf(out.Measure, x.thresholds)
	if x.req.Below != nil {
		limits = append(limits, threshold{"below", *x.req.Below})
	}
	out.Chances = chances(of, limits, out.Measure, out.Unit)
	out.Doubt.Words = fmt.Sprintf("expected between %s and %s with a probability of %.0f%% (%s)", inUnit(out.Interval.Low, out.Unit), inUnit(out.Interval.High, out.Unit), 100*level, i.Method)
	scale := float(out.To.Value.Abs())
	if out.Unit == quantity.Ratio {
		scale = marginScale
	}
	if scale == 0 {
		return 1, nil
	}
	return math.Max(0, math.Max(float(*out.To.Value)-i.Low, i.High-float(*out.To.Value))) / scale, nil
}

// band sets how far the closed value may be off: when the time that was not recorded was
// work like the recorded, when this cell has its share of the revenue that belongs to no
// client, when the seats of unknown use are all or none of them used.
func (x *explanation) band(_ context.Context, out *Explanation) error {
	f, err := formulaOf(x.metrics, out.Measure)
	if err != nil {
		return err
	}
	low, high := *out.To.Value, *out.To.Value
	var because []string
	try := func(changed cell) bool {
		v, ok := f.value(changed)
		if ok {
			low, high = decimal.Min(low, v.Round(f.places())), decimal.Max(high, v.Round(f.places()))
		}
		return ok && !v.Round(f.places()).Equal(*out.To.Value)
	}
	more := func(by float64, sums ...string) (cell, bool) {
		c, touched := cell{}, false
		for name, v := range out.To.Inputs {
			c[name] = v
			if slices.Contains(sums, name) {
				c[name], touched = v.Mul(dec(1+by)), true
			}
		}
		return c, touched && by > 0
	}
	if covered, _, _ := x.quality.timeCoverage(); covered < 1 && x.quality.firm["capacity_hours"].Sign() > 0 {
		if c, ok := more(1-covered, laborCost, "hours_worked", "billable_hours"); ok && try(c) {
			because = append(because, "time that was not recorded, as if it was work like the recorded")
		}
	}
	if nobodys := share(x.quality.clients[noClient]["revenue"], x.quality.firm["revenue"]); x.req.Where != "" && x.quality.firm["revenue"].Sign() > 0 && nobodys > 0 && nobodys < 1 {
		if c, ok := more(nobodys/(1-nobodys), "revenue", "recurring_revenue"); ok && try(c) {
			because = append(because, "revenue that belongs to no client, shared out by revenue")
		}
	}
	if bought, ok := out.To.Inputs["seats_known"]; ok && out.Measure == "license_utilization" && x.seats.GreaterThan(bought) {
		unknown := x.seats.Sub(bought)
		for _, used := range []quantity.Decimal{{}, unknown} {
			try(cell{"seats_known": x.seats, "seats_used": out.To.Inputs["seats_used"].Add(used)})
		}
		because = append(because, "seats whose use is not known, as if none or all of them were used")
	}
	method := "exact: nothing that is known to be missing would change it"
	if len(because) > 0 {
		method = strings.Join(because, "; ")
	}
	out.Band = &Interval{Low: low, High: high, Method: method, Of: descriptive}
	return nil
}

// confidence sets the confidence from the quality of the inputs that the measure has, and the
// cheapest way to a higher one.
func (x *explanation) confidence(ctx context.Context, out *Explanation, h float64, few bool) error {
	f, err := formulaOf(x.metrics, out.Measure)
	if err != nil {
		return err
	}
	var parts []graded
	add := func(c Component, limits []limit) { parts = append(parts, graded{c, limits}) }
	inputs := f.sums
	if x.measure.Wide() {
		inputs = x.measure.BaseInputs()
	}
	has := func(name string) bool { return slices.Contains(inputs, name) }
	if has(laborCost) {
		c, err := x.total(ctx, x.req.Period, x.req.Where, "hours_worked", "hours_without_cost")
		if err != nil {
			return err
		}
		add(x.quality.costRates(c))
	}
	if has(laborCost) || has("hours_worked") || has("billable_hours") || has("shadow_billable") {
		_, time, more := x.quality.timeCoverage()
		add(time, more)
	}
	if has("billable_hours") {
		s := x.quality.billableStated
		add(component("billable", s, hundred(s)+" of the hours say whether they are billable"), nil)
	}
	if has("revenue") {
		c, err := x.total(ctx, x.req.Period, x.req.Where, "revenue", "revenue_tax_unknown")
		if err != nil {
			return err
		}
		add(x.quality.revenueBasis(c), nil)
	}
	if has("direct_cost") {
		add(x.quality.directCost())
		if x.quality.firm["direct_cost"].Sign() <= 0 {
			h += unknownVendorCost / 2 / marginScale
		}
	}
	if x.measure.Wide() || slices.Contains(x.metrics.DimensionsOf(x.measure), "client") {
		add(x.quality.matched())
	}
	var always []limit
	if few {
		always = append(always, limit{stats.Medium, "too few months or cases for an interval"})
	}
	if !x.req.Period.WholeMonths() {
		always = append(always, limit{stats.Medium, "the period is not made of whole months"})
	}
	out.Confidence = confideIn(parts, h, always)
	out.Raise, err = x.raise(ctx, out.Confidence, parts, h, always)
	return err
}

// graded is a component of a confidence with the limits that are there because of it.
type graded struct {
	Component
	limits []limit
}

func confideIn(parts []graded, h float64, always []limit) Confidence {
	var components []Component
	var limits []limit
	for _, p := range parts {
		components, limits = append(components, p.Component), append(limits, p.limits...)
	}
	return confide(components, h, append(limits, always...)...)
}
