package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// fewestTrendMonths is the least number of full months that have a trend.
const fewestTrendMonths = 6

// trends finds revenue and spending, of the firm and with each vendor, that clearly rise
// or fall.
func (a *analysis) trends(ctx context.Context) error {
	if len(a.period.Months()) < fewestTrendMonths {
		return nil
	}
	revenue, err := a.monthlyTotal(ctx, a.period, "", "revenue")
	if err != nil {
		return err
	}
	if err := a.judgeTrend(ctx, trendCase{kind: RevenueTrend, measure: "revenue", by: "client", months: revenue}); err != nil {
		return err
	}
	spend, err := a.monthlyTotal(ctx, a.period, "", "expense_amount")
	if err != nil {
		return err
	}
	if err := a.judgeTrend(ctx, trendCase{kind: SpendTrend, measure: "expense_amount", by: "vendor", months: spend}); err != nil {
		return err
	}
	vendors, err := a.read(ctx, a.period, "", []string{"vendor"}, "expense_amount")
	if err != nil {
		return err
	}
	var names []string
	for _, v := range vendors {
		if v.sums["expense_amount"].Sign() > 0 && v.keys[0] != noVendor {
			names = append(names, v.keys[0])
		}
	}
	byVendor, err := a.monthly(ctx, a.period, "vendor", names, "expense_amount")
	if err != nil {
		return err
	}
	for _, v := range names {
		if err := a.judgeTrend(ctx, trendCase{kind: SpendTrend, vendor: v, measure: "expense_amount", by: "client", months: byVendor[v]}); err != nil {
			return err
		}
	}
	return nil
}

// noVendor is the vendor of an expense that names none.
const noVendor = "none"

// trendCase is a monthly series whose trend is asked for.
type trendCase struct {
	kind    Kind
	vendor  string // "" for the firm
	measure string
	by      string // the dimension that the change is broken down by
	months  series
}

// judgeTrend reports a trend that is above the threshold and whose interval is on one side
// of zero. A month without figures is a real zero.
func (a *analysis) judgeTrend(ctx context.Context, t trendCase) error {
	values := t.months.values(func(c cell) quantity.Decimal { return c[t.measure] })
	slope, ok := theilSen(values)
	if !ok || apart(t.months.codes...) != "" || slope.Low <= 0 && slope.High >= 0 {
		return nil
	}
	yearly := dec(slope.Value).Mul(number(yearMonths, 0))
	if yearly.Abs().LessThan(a.Trend) {
		return nil
	}
	mean := t.months.sum()[t.measure].Div(decimal.NewFromInt(int64(len(values))))
	moved := mean.Mul(number(yearMonths, 0)).Mul(yearly).Abs()
	if moved.LessThan(a.MoneyAtStake) {
		return nil
	}
	good := t.kind == RevenueTrend && yearly.Sign() > 0 || t.kind == SpendTrend && yearly.Sign() < 0
	f := Finding{
		Kind: t.kind, Subject: Subject{Dimension: firm}, Measure: t.measure, Unit: quantity.Ratio, Currency: only(t.months.codes), Period: a.period, Value: &yearly,
		Query: metric.Query{Measures: []string{t.measure}, Dimensions: []string{"month"}, Period: a.period},
		Interval: &Interval{
			Low: dec(slope.Low).Mul(number(yearMonths, 0)), High: dec(slope.High).Mul(number(yearMonths, 0)), Level: level, Of: "expected",
			Method: slope.Method + " of the monthly values, relative to their median",
		},
		Facts: facts(t.months.sum()),
	}
	where, what := "", spokenTrend[t.measure]
	if t.vendor != "" {
		f.Subject, where = Subject{Dimension: "vendor", Value: t.vendor}, is("vendor", t.vendor)
		f.Query.Where, what = where, "Spending with "+t.vendor
	}
	first, final := middleOf(values[:3]), middleOf(values[len(values)-3:])
	f.Headline = fmt.Sprintf("%s %s by %s a year (90%% interval %s to %s): from about %s to %s a month.", what, direction(yearly), percent(yearly.Abs()),
		percent(f.Interval.Low), percent(f.Interval.High), amount(dec(first)), amount(dec(final)))
	if !good { // good news has nothing at stake
		f.MoneyAtStake = moved
	}
	h := float(f.Interval.High.Sub(f.Interval.Low)) / 2 / max(float(yearly.Abs()), float(a.Trend))
	f.Confidence = a.quality.trend(t, h)
	c, err := a.breakdown(ctx, t.measure, quantity.Money, t.by, where, a.previous, a.period)
	if err != nil {
		return err
	}
	f.Comparison = &Comparison{Label: previousLabel(a.period), Period: a.previous, Measure: t.measure, Unit: quantity.Money, Note: "in money, by " + t.by}
	if c.apart != "" {
		f.Comparison.Note = c.apart
	} else if c.from.Sign() != 0 {
		f.Comparison.Value, f.Comparison.Change, f.Drivers = &c.from, &c.change, c.drivers
	} else {
		f.Comparison.Note = "no figures in the " + f.Comparison.Label
	}
	f.Recommendation = adviseTrend(t, yearly, c)
	a.report(f)
	return nil
}

var spokenTrend = map[string]string{"revenue": "Revenue", "expense_amount": "Spending"}

func direction(d quantity.Decimal) string {
	if d.Sign() < 0 {
		return "falls"
	}
	return "rises"
}

// middleOf is the median of three.
func middleOf(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return x[len(x)/2]
}

func adviseTrend(t trendCase, yearly quantity.Decimal, c change) string {
	top := ""
	if len(c.drivers) > 0 && c.from.Sign() != 0 && c.apart == "" {
		top = fmt.Sprintf(" %s moved most: %s to %s.", c.drivers[0].Name, amount(c.drivers[0].From), amount(c.drivers[0].To))
	}
	switch {
	case t.kind == RevenueTrend && yearly.Sign() < 0:
		return "Look at the clients that pay less than in the period before." + top
	case t.kind == RevenueTrend:
		return "Plan the hours for the growth before they are missing." + top
	case yearly.Sign() < 0:
		return "Check that what is no longer bought is no longer needed." + top
	case t.vendor != "":
		return fmt.Sprintf("Check quantity and price on the bills of %s, pass the rise on to the clients concerned, or ask other vendors for a price.%s", t.vendor, top)
	}
	return "Look at the vendors that cost more than in the period before." + top
}
