package insight

import (
	"context"
	"fmt"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// staffMonths is over how many months the load of a person is judged: long enough that a
// hard month is not a finding.
const staffMonths = 3

// leastCapacity is how many hours a person must have been there to be judged.
const leastCapacity = 80

var staffSums = []string{"hours_worked", "capacity_hours", "capacity_assumed", "labor_cost", "billable_hours"}

// staff finds people with far more hours, or far fewer, than their capacity over the last
// months of the period. The figures are advice about load, not about performance.
func (a *analysis) staff(ctx context.Context) error {
	recent := last(a.period, staffMonths)
	now, err := a.read(ctx, recent, "", []string{"staff"}, staffSums...)
	if err != nil {
		return err
	}
	before, err := a.read(ctx, recent.Previous(), "", []string{"staff"}, staffSums...)
	if err != nil {
		return err
	}
	was := byKey(before)
	for _, r := range now {
		use, ok := a.forms["utilization"].value(r.sums)
		if !ok || r.keys[0] == noClient || r.sums["capacity_hours"].LessThan(number(leastCapacity, 0)) {
			continue
		}
		if use.GreaterThan(a.StaffOver) || use.LessThan(a.StaffUnder) {
			a.reportStaff(r, recent, use, was[r.keys[0]])
		}
	}
	return nil
}

// reportStaff reports a person's load.
func (a *analysis) reportStaff(r row, p quantity.Period, use quantity.Decimal, before cell) {
	name, now := r.keys[0], r.sums
	value := use.Round(12)
	hours, capacity := now["hours_worked"], now["capacity_hours"]
	f := Finding{
		Kind: StaffUtilization, Subject: Subject{Dimension: "staff", Value: name},
		Measure: "utilization", Unit: quantity.Ratio, Currency: only(r.codes), Period: p, Value: &value,
		Query: metric.Query{Measures: append([]string{"utilization", "billable_utilization"}, staffSums...), Dimensions: []string{"staff", "month"}, Where: is("staff", name), Period: p},
		Facts: facts(now), Assumptions: a.quality.capacityAssumptions(now),
	}
	n := number(int64(len(p.Months())), 0)
	span := "the last " + months(len(p.Months()))
	cost, _ := ratio(now["labor_cost"], hours)
	gap := hours.Sub(capacity)
	if gap.Sign() > 0 {
		f.Headline = fmt.Sprintf("%s worked %s hours in %s with a capacity of %s: %s.", name, plain(hours), span, plain(capacity), percent(use))
		f.Recommendation = fmt.Sprintf("Move about %s hours a month from %s to others, or plan a hire: the load is %s hours above capacity.", plain(gap.Div(n)), name, plain(gap))
	} else {
		gap = gap.Neg()
		f.Headline = fmt.Sprintf("%s recorded %s of %s hours of capacity in %s: %s.", name, plain(hours), plain(capacity), span, percent(use))
		f.Recommendation = fmt.Sprintf("Check first whether %s records all time; otherwise about %s hours a month are free for other work.", name, plain(gap.Div(n)))
	}
	f.MoneyAtStake = gap.Mul(cost).Mul(number(yearMonths, 0)).Div(n)
	f.Confidence = a.quality.staff(now, len(p.Months()))
	a.compare(&f, a.forms["utilization"], before, now, previousLabel(p), p.Previous())
	a.report(f)
}
