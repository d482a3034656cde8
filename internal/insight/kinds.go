package insight

import (
	"errors"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// The kinds of doubt that a measure has (domain 5.3). Each has a method of its own.
const (
	kindShare    = "share"    // successes of trials: Wilson
	kindCount    = "count"    // events: Poisson, or negative binomial when months vary more
	kindRate     = "rate"     // events by exposure: the same, divided
	kindSum      = "sum"      // amounts added up over months: Student's t with their memory
	kindRatio    = "ratio"    // a formula over such sums: the same of the linearized formula
	kindStock    = "stock"    // looked at on a day: exact
	kindQuantile = "quantile" // the middle, or nine tenths, of single values: order statistics, or Kaplan-Meier
	kindIndex    = "index"    // computed of other cells or single values of a closed period: exact
)

// Doubt says what can be uncertain about a measure, and how that was told.
type Doubt struct {
	Kind string `json:"kind"` // share, count, rate, sum, ratio, stock, quantile or index
	N    int    `json:"n"`    // months or cases behind the interval
	// TooFew is true when there are too few months or cases for an interval: look at the rows.
	TooFew bool   `json:"too_few"`
	Words  string `json:"words"`
}

// kindOf derives the kind of doubt from a measure's formula and what its inputs are.
func kindOf(c *metric.Catalog, m *metric.Measure) string {
	bases := m.BaseInputs()
	flows := slices.DeleteFunc(slices.Clone(bases), c.Stock)
	counts := func(names []string) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			in, err := c.Measure(name)
			return err != nil || in.Unit != quantity.Count
		})
	}
	sameFact := func() bool {
		a, errA := c.Measure(bases[0])
		b, errB := c.Measure(bases[1])
		return errA == nil && errB == nil && a.Fact == b.Fact
	}
	switch {
	case m.Special != "":
		return kindQuantile
	case m.Wide():
		return kindIndex
	case len(flows) == 0:
		return kindStock
	case m.Base() && m.Unit == quantity.Count:
		return kindCount
	case m.Base():
		return kindSum
	case m.Unit == quantity.Ratio && len(bases) == 2 && len(flows) == 2 && counts(bases) && sameFact():
		return kindShare
	case len(flows) == 1 && len(bases) > 1 && counts(bases):
		return kindRate
	case extensive(c, m):
		return kindSum
	}
	return kindRatio
}

// extensive reports whether a measure over two equal periods is twice that over one, as
// money earned is and a margin is not.
func extensive(c *metric.Catalog, m *metric.Measure) bool {
	one, two := cell{}, cell{}
	for i, s := range c.FlatInputs(m) {
		v := decimal.NewFromInt(int64(7 + 3*i))
		one[s], two[s] = v, v
		if isParameter(s) || !c.Stock(s) {
			two[s] = v.Add(v)
		}
	}
	a, ok := c.Evaluate(m, one)
	b, okToo := c.Evaluate(m, two)
	return ok && okToo && !a.IsZero() && b.Sub(a.Add(a)).Abs().LessThan(number(1, 9))
}

// errNoInterval says that the kind of measure has no interval.
var errNoInterval = errors.New("nothing to estimate")

// estimate is an estimator of a measure's expected value: the interval at any level, so that
// a probability can be told that agrees with it.
type estimate func(level float64) (stats.Interval, error)

// linearized returns the months of a measure's formula, each as what it adds to the measure
// at the mean of all months; their mean is the measure there. The months lie in p, whose
// length says how often an extensive measure's month counts.
func linearized(f formula, s series, times float64) ([]float64, error) {
	n := len(s.cells)
	if n == 0 {
		return nil, stats.ErrTooFew
	}
	mean := s.sum()
	each := number(1, 0).DivRound(decimal.NewFromInt(int64(n)), ratioPlaces)
	mean = mean.scaled(each)
	days := 0
	for _, m := range s.months {
		days += m.DaysUntil(m.AddMonths(1))
	}
	params := cell{"months": number(1, 0), "days": decimal.NewFromInt(int64(days)).Mul(each)}
	for _, name := range f.sums {
		if v, ok := params[name]; ok {
			mean[name] = v
		} else if _, known := mean[name]; !known {
			return nil, errNoInterval
		}
	}
	at, ok := f.value(mean)
	if !ok {
		return nil, stats.ErrTooFew
	}
	out := make([]float64, n)
	for t := range out {
		out[t] = times * float(at)
	}
	for _, name := range f.sums {
		if isParameter(name) {
			continue
		}
		slope, ok := f.slope(mean, name)
		if !ok {
			return nil, stats.ErrTooFew
		}
		for t, c := range s.cells {
			out[t] += times * float(slope) * float(c[name].Sub(mean[name]))
		}
	}
	return out, nil
}

// slope is the derivative of the formula by one of its sums.
func (f formula) slope(at cell, name string) (quantity.Decimal, bool) {
	step := at[name].Abs().Mul(number(1, 4))
	if step.IsZero() {
		step = number(1, 2)
	}
	moved := func(by quantity.Decimal) (quantity.Decimal, bool) {
		was := at[name]
		defer func() { at[name] = was }()
		at[name] = was.Add(by)
		return f.value(at)
	}
	high, ok := moved(step)
	low, okToo := moved(step.Neg())
	if !ok || !okToo {
		return quantity.Decimal{}, false
	}
	return high.Sub(low).DivRound(step.Add(step), ratioPlaces), true
}

// byMonths estimates the expected value of a measure from its months.
func byMonths(f formula, s series, times float64) (estimate, error) {
	months, err := linearized(f, s, times)
	if err != nil {
		return nil, err
	}
	if len(months) < fewest {
		return nil, stats.ErrTooFew
	}
	ones := make([]float64, len(months))
	for i := range ones {
		ones[i] = 1
	}
	return func(level float64) (stats.Interval, error) {
		i, err := stats.RatioInterval(months, ones, level)
		if times != 1 {
			i.Method = "months added up, AR(1) variance, Student's t"
		}
		return i.Interval, err
	}, nil
}

// byCounts estimates expected events, divided by an exposure: by months, which tell whether
// they vary more than a Poisson process does, or exact Poisson when these are too few.
func byCounts(name string, s series, exposure float64) (estimate, error) {
	counts, exposures, total := make([]int, len(s.cells)), make([]float64, len(s.cells)), 0
	for i, c := range s.cells {
		counts[i], exposures[i] = int(c[name].Round(0).IntPart()), exposure/float64(len(s.cells))
		total += counts[i]
	}
	if total < fewest {
		return nil, stats.ErrTooFew
	}
	return func(level float64) (stats.Interval, error) {
		if len(counts) < fewest {
			return stats.PoissonRate(total, exposure, level)
		}
		return stats.CountRate(counts, exposures, level)
	}, nil
}

// byCases estimates an expected share.
func byCases(over, under quantity.Decimal) (estimate, error) {
	k, n := int(over.IntPart()), int(under.IntPart())
	if n < fewest || k > n || k < 0 {
		return nil, stats.ErrTooFew
	}
	return func(level float64) (stats.Interval, error) { return stats.Wilson(k, n, level) }, nil
}
