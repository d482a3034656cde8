package insight

import (
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// What an interval is of.
const (
	expected    = "expected"
	descriptive = "descriptive"
)

// level is the probability that an interval is made for.
const level = 0.90

// fewest is the number of months below which there is no interval: too few to say.
const fewest = 5

// marginScale is the decision scale of a margin: 50 points lie between a client that loses
// money and one that is excellent (domain 2.2). An interval of ±5 points is 10 % of it.
const marginScale = 0.50

// unknownVendorCost is the assumed share of revenue that vendor cost may be when none is
// in the data.
const unknownVendorCost = 0.30

// interval returns the 90 % interval of the expected ratio of two monthly series, and its
// half width relative to scale. It is nil with fewer than five months.
func interval(num, den []float64, value, scale quantity.Decimal) (*Interval, float64) {
	if len(num) < fewest || scale.Sign() <= 0 {
		return nil, 0
	}
	i, err := stats.RatioInterval(num, den, level)
	if err != nil || math.IsNaN(i.Low) || math.IsNaN(i.High) || math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) {
		return nil, 0
	}
	out := &Interval{Low: dec(i.Low), High: dec(i.High), Level: level, Method: i.Method, Of: expected}
	half := math.Max(float(value)-i.Low, i.High-float(value))
	return out, math.Max(0, half) / float(scale)
}

// ratioParts are the numerator and denominator of a ratio in a month.
type ratioParts func(cell) (num, den quantity.Decimal)

func marginParts(c cell) (num, den quantity.Decimal) {
	return c["revenue"].Sub(c["labor_cost"]).Sub(c["direct_cost"]), c["revenue"]
}

func rateOverHours(c cell) (num, den quantity.Decimal) {
	return c["revenue"].Sub(c["direct_cost"]), c["hours_worked"]
}

// expected returns the interval of a ratio over the months, relative to scale, or to the
// value itself where the scale is 0.
func (a *analysis) expected(s series, parts ratioParts, value, scale quantity.Decimal) (*Interval, float64) {
	if scale.IsZero() {
		scale = value.Abs()
	}
	num := s.values(func(c cell) quantity.Decimal { n, _ := parts(c); return n })
	den := s.values(func(c cell) quantity.Decimal { _, d := parts(c); return d })
	return interval(num, den, value, scale)
}

// marginDoubt returns the interval of the expected margin, the band in which the margin of
// the closed months lies when time that was not recorded was client work too, and the half
// width of the wider of the two relative to the decision scale. In money, the band alone
// stands for both and is relative to the cost.
func (a *analysis) marginDoubt(s series, c cell, unit quantity.Unit) (*Interval, *Interval, float64) {
	covered, _, _ := a.quality.timeCoverage()
	missing := c["labor_cost"].Mul(dec(1 - covered))
	profit, known := a.profit(c)
	if !known {
		return nil, nil, 1
	}
	method := "labor cost of the recorded hours, and of the time not recorded as if it was work for this client"
	if unit == quantity.Money {
		band := &Interval{Low: profit.Sub(missing).Round(4), High: profit.Round(4), Method: method, Of: descriptive}
		relative, ok := ratio(missing, profit.Abs())
		if !ok {
			return nil, band, 1
		}
		return nil, band, float(relative) / 2
	}
	margin, ok := a.margin(c)
	if !ok {
		return nil, nil, 1
	}
	width, _ := ratio(missing, c["revenue"])
	band := &Interval{Low: margin.Sub(width).Round(12), High: margin.Round(12), Method: method, Of: descriptive}
	scale := dec(marginScale)
	future, h := a.expected(s.active(), marginParts, margin, scale)
	h = math.Max(h, float(width)/2/marginScale)
	if a.quality.firm["direct_cost"].Sign() <= 0 {
		h += unknownVendorCost / 2 / marginScale
	}
	return future, band, h
}

// slope is a trend a month, relative to the median.
type slope struct {
	Value, Low, High float64
	Method           string
}

// theilSen returns the trend of monthly values, relative to their median; false when there
// are too few or the median is not positive.
func theilSen(values []float64) (slope, bool) {
	if len(values) < fewestTrendMonths {
		return slope{}, false
	}
	t, err := stats.TheilSen(values, level)
	if err != nil {
		return slope{}, false
	}
	middle := stats.Quantile(slices.Sorted(slices.Values(values)), 0.5)
	if !(middle > 0) {
		return slope{}, false
	}
	return slope{Value: t.Estimate / middle, Low: t.Low / middle, High: t.High / middle, Method: t.Method}, true
}
