package insight

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// monthlyRatios are the ratios that have an interval from their months.
var monthlyRatios = map[string]struct{ over, under []string }{
	"gross_margin":          {[]string{"revenue", "-labor_cost", "-direct_cost"}, []string{"revenue"}},
	"effective_hourly_rate": {[]string{"revenue", "-direct_cost"}, []string{"hours_worked"}},
	"labor_cost_rate":       {[]string{"labor_cost"}, []string{"hours_worked"}},
	"utilization":           {[]string{"hours_worked"}, []string{"capacity_hours"}},
	"billable_utilization":  {[]string{"billable_hours"}, []string{"capacity_hours"}},
	"tickets_per_endpoint":  {[]string{"service_ticket_count"}, []string{"endpoints"}},
}

// counted are the shares of counts, which have a Wilson interval.
var counted = map[string][2]string{
	"sla_attainment": {"sla_met_count", "sla_judged_count"},
	"csat":           {"csat_positive", "csat_responses"},
}

// doubt sets the interval of the value and the confidence.
func (x *explanation) doubt(ctx context.Context, out *Explanation) error {
	h, few := 0.0, false
	if parts, ok := monthlyRatios[out.Measure]; ok && out.To.Value != nil && x.req.Period.WholeMonths() {
		var err error
		if h, err = x.ratioDoubt(ctx, out, parts.over, parts.under); err != nil {
			return err
		}
		few = out.Interval == nil
	}
	if parts, ok := counted[out.Measure]; ok && out.To.Value != nil {
		over, under := int(out.To.Inputs[parts[0]].IntPart()), int(out.To.Inputs[parts[1]].IntPart())
		if i, err := stats.Wilson(over, under, level); err == nil && under >= fewest {
			out.Interval = &Interval{Low: dec(i.Low), High: dec(i.High), Level: level, Method: i.Method, Of: "expected"}
			h = i.HalfWidth()
		} else {
			few = true
		}
	}
	return x.confidence(ctx, out, h, few)
}

// ratioDoubt sets the interval of a ratio from its months and returns its half width
// relative to the decision scale.
func (x *explanation) ratioDoubt(ctx context.Context, out *Explanation, over, under []string) (float64, error) {
	var measures []string
	for _, name := range slices.Concat(over, under) {
		if name[0] == '-' {
			name = name[1:]
		}
		if !slices.Contains(measures, name) {
			measures = append(measures, name)
		}
	}
	s, err := x.monthlyTotal(ctx, x.req.Period, x.req.Where, measures...)
	if err != nil {
		return 0, err
	}
	s = s.active()
	sum := func(names []string) func(cell) quantity.Decimal {
		return func(c cell) (v quantity.Decimal) {
			for _, name := range names {
				if name[0] == '-' {
					v = v.Sub(c[name[1:]])
				} else {
					v = v.Add(c[name])
				}
			}
			return v
		}
	}
	scale := out.To.Value.Abs()
	if out.Unit == quantity.Ratio {
		scale = dec(marginScale)
	}
	var h float64
	out.Interval, h = interval(s.values(sum(over)), s.values(sum(under)), *out.To.Value, scale)
	return h, nil
}

// confidence sets the confidence from the quality of the inputs that the measure has.
func (x *explanation) confidence(ctx context.Context, out *Explanation, h float64, few bool) error {
	f, err := formulaOf(x.metrics, out.Measure)
	if err != nil {
		return err
	}
	var components []Component
	var limits []limit
	has := func(name string) bool { return slices.Contains(f.sums, name) }
	if has(laborCost) {
		c, err := x.total(ctx, x.req.Period, x.req.Where, "hours_worked", "hours_without_cost")
		if err != nil {
			return err
		}
		rates, more := x.quality.costRates(c)
		components, limits = append(components, rates), append(limits, more...)
	}
	if has(laborCost) || has("hours_worked") || has("billable_hours") || has("shadow_billable") {
		_, time, more := x.quality.timeCoverage()
		components, limits = append(components, time), append(limits, more...)
	}
	if has("billable_hours") {
		s := x.quality.billableStated
		components = append(components, component("billable", s, hundred(s)+" of the hours say whether they are billable"))
	}
	if has("revenue") {
		c, err := x.total(ctx, x.req.Period, x.req.Where, "revenue", "revenue_tax_unknown")
		if err != nil {
			return err
		}
		components = append(components, x.quality.revenueBasis(c))
	}
	if has("direct_cost") {
		direct, more := x.quality.directCost()
		components, limits = append(components, direct), append(limits, more...)
		if x.quality.firm["direct_cost"].Sign() <= 0 {
			h += unknownVendorCost / 2 / marginScale
		}
	}
	if slices.Contains(x.metrics.DimensionsOf(x.measure), "client") {
		match, more := x.quality.matched()
		components, limits = append(components, match), append(limits, more...)
	}
	if few {
		limits = append(limits, limit{stats.Medium, "too few months or cases for an interval"})
	}
	if !x.req.Period.WholeMonths() {
		limits = append(limits, limit{stats.Medium, "the period is not made of whole months"})
	}
	out.Confidence = confide(components, h, limits...)
	return nil
}

// oneValue is a condition that names one value of a dimension and nothing else.
var oneValue = regexp.MustCompile(`^\w+ = ("(?:[^"\\]|\\.)*")$`)

// words says the change in a plain sentence.
func (x *explanation) words(out *Explanation) string {
	subject := spoken(out.Measure)
	if parts := oneValue.FindStringSubmatch(out.Where); parts != nil {
		if name, err := strconv.Unquote(parts[1]); err == nil {
			subject += " of " + name
		}
	} else if out.Where != "" {
		subject += " where " + out.Where
	}
	if out.Change == nil {
		text := fmt.Sprintf("The %s cannot be compared with the %s", subject, out.From.Label)
		if why := out.Note; why != "" {
			return text + ": " + why + "."
		}
		return text + "."
	}
	move := "did not change from"
	switch out.Change.Sign() {
	case 1:
		move = "rose from"
	case -1:
		move = "fell from"
	}
	text := fmt.Sprintf("The %s %s %s (%s) to %s", subject, move, inUnit(*out.From.Value, out.Unit), out.From.Label, inUnit(*out.To.Value, out.Unit))
	if out.Versus == Portfolio {
		text = fmt.Sprintf("The %s is %s against %s (%s)", subject, inUnit(*out.To.Value, out.Unit), inUnit(*out.From.Value, out.Unit), out.From.Label)
	}
	if parts := inWords(change{drivers: out.Drivers}, out.Unit); parts != "" {
		text += ", by " + parts
	}
	return text + "."
}
