package insight

import (
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// drop is a fall of a client's margin that stayed.
type drop struct {
	month         quantity.Day // first month of the lower margin
	before, after quantity.Period
	from, to      cell
}

// Bounds of the search for a drop, in months: how long it must have lasted, how far back
// it may lie, and how much history stands against it.
const (
	dropShortest, dropLongest   = 3, 6
	historyShortest, historyMax = 3, 12
)

// dropScore is how many standard errors the two means of the monthly margins must lie
// apart: the best of several splits is chosen, so two would be too few.
const dropScore = 3.5

// findDrop looks for the split of a client's months after which the margin is lower by
// at least the threshold in total, clearly so against the scatter of the months, and by at
// least half the threshold in each month. recent are the client's months of the period, all those and
// the ones before.
func (a *analysis) findDrop(recent, all series) (drop, bool) {
	var best drop
	bestScore := dropScore
	for k := dropShortest; k <= min(dropLongest, len(recent.cells), len(all.cells)-historyShortest); k++ {
		at := len(all.cells) - k
		start := max(0, at-historyMax)
		before, after := cut(all, start, at), cut(all, at, len(all.cells))
		marginBefore, ok := a.margin(before.sum())
		marginAfter, okAfter := a.margin(after.sum())
		if !ok || !okAfter || marginBefore.Sub(marginAfter).LessThan(a.MarginDrop) {
			continue
		}
		low, high := a.monthlyMargins(after), a.monthlyMargins(before)
		if len(low) < k || len(high) < historyShortest || slices.Max(low) >= float(marginBefore.Sub(a.MarginDrop.Div(number(2, 0)))) {
			continue
		}
		if s := separation(high, low); s > bestScore {
			same := cut(all, max(0, at-k), at)
			best, bestScore = drop{
				month: all.months[at], from: same.sum(), to: after.sum(),
				before: quantity.Period{From: same.months[0], To: all.months[at]},
				after:  quantity.Period{From: all.months[at], To: all.months[len(all.months)-1].AddMonths(1)},
			}, s
		}
	}
	return best, bestScore > dropScore
}

func cut(s series, from, to int) series { return series{s.months[from:to], s.cells[from:to], s.codes} }

// monthlyMargins are the margins of the months that have one.
func (a *analysis) monthlyMargins(s series) []float64 {
	var out []float64
	for _, c := range s.cells {
		if m, ok := a.margin(c); ok {
			out = append(out, float(m))
		}
	}
	return out
}

// separation is the distance of the means of two samples in pooled standard errors.
// Months that hardly vary count as varying by one point, so that a tiny scatter proves
// nothing.
func separation(high, low []float64) float64 {
	mean := func(x []float64) (m float64) {
		for _, v := range x {
			m += v / float64(len(x))
		}
		return m
	}
	h, l, squares := mean(high), mean(low), 0.0
	for _, v := range high {
		squares += (v - h) * (v - h)
	}
	for _, v := range low {
		squares += (v - l) * (v - l)
	}
	sd := max(0.01, math.Sqrt(squares/float64(len(high)+len(low)-2)))
	return (h - l) / (sd * math.Sqrt(1/float64(len(high))+1/float64(len(low))))
}

// reportDrop reports a client whose margin fell within the period. The value is the margin
// since then, compared with as many months before.
func (a *analysis) reportDrop(c clientCase, d drop) {
	was, _ := a.margin(d.from)
	now, ok := a.margin(d.to)
	if !ok {
		return
	}
	value := now.Round(12)
	f := Finding{
		Kind: MarginDrop, Subject: Subject{Dimension: "client", Value: c.name},
		Measure: "gross_margin", Unit: quantity.Ratio, Currency: c.currency, Period: d.after, Value: &value,
		Query: metric.Query{Measures: append(slices.Clone(profitSums), "gross_profit", "gross_margin"), Dimensions: []string{"client", "month"}, Where: is("client", c.name), Period: quantity.Period{From: d.before.From, To: d.after.To}},
		Facts: facts(d.to), Assumptions: a.quality.laborAssumptions(),
		Headline: fmt.Sprintf("The margin of %s fell from %s to %s in %s and has stayed there for %s.", c.name, percent(was), percent(now), monthName(d.month), months(len(d.after.Months()))),
	}
	f.Facts["margin"], f.Facts["since"] = value.String(), d.month.String()
	count := decimal.NewFromInt(int64(len(d.after.Months())))
	f.MoneyAtStake = was.Sub(now).Mul(d.to["revenue"]).Mul(number(yearMonths, 0)).Div(count)
	var h float64
	f.Interval, f.Band, h = a.marginDoubt(c.months.in(d.after), d.to, f.Unit)
	f.Confidence = a.quality.profit(c.name, h, f.Interval == nil)
	a.compare(&f, a.forms["gross_margin"], d.from, d.to, previousLabel(d.after), d.before)
	f.Recommendation = a.adviseDrop(c.name, d, f.Drivers)
	a.report(f)
}

// adviseDrop says what to look at, by the driver that took most of the margin, and what
// price would bring the old margin back.
func (a *analysis) adviseDrop(name string, d drop, drivers []Driver) string {
	n := decimal.NewFromInt(int64(len(d.after.Months())))
	text := "Find out what changed in " + monthName(d.month)
	if len(drivers) > 0 {
		top := drivers[0]
		switch top.Name {
		case "hours_worked":
			text = fmt.Sprintf("Find out why %s needs %s hours a month since %s instead of %s", name, plain(top.To.Div(n)), monthName(d.month), plain(top.From.Div(n)))
		case "revenue":
			text = fmt.Sprintf("Check why %s pays %s a month since %s instead of %s", name, amount(top.To.Div(n)), monthName(d.month), amount(top.From.Div(n)))
		case "direct_cost":
			text = fmt.Sprintf("Pass on the vendor bills for %s, which rose from %s to %s a month", name, amount(top.From.Div(n)), amount(top.To.Div(n)))
		case inLaborRate:
			text = fmt.Sprintf("Give the work for %s back to people whose hour costs %s rather than %s", name, amount(top.From), amount(top.To))
		}
	}
	was, ok := a.margin(d.from)
	cost := d.to["labor_cost"].Add(d.to["direct_cost"])
	if !ok || !was.LessThan(number(1, 0)) || d.to["revenue"].Sign() <= 0 {
		return text + "."
	}
	price := cost.Div(number(1, 0).Sub(was))
	uplift, _ := ratio(price.Sub(d.to["revenue"]), d.to["revenue"])
	return text + fmt.Sprintf("; at the present cost it takes %s more revenue, %s a month, to earn %s again.", percent(uplift), amount(price.Div(n)), percent(was))
}
