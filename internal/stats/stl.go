package stats

import (
	"fmt"
	"math"
	"slices"
)

// STLOptions tunes an STL decomposition. STLDefaults fills it.
type STLOptions struct {
	// Period is how many steps make a season: 12 for months of a year. At least 2.
	Period int
	// Seasonal is the span of the seasonal smoother in seasons, odd and at least 3: each
	// January is smoothed over so many Januaries. Zero says that the season repeats without
	// change ("periodic").
	Seasonal int
	// Trend and LowPass are the spans of the trend and low-pass smoothers in steps, odd and
	// at least 3. Zero takes the least odd span that keeps the season out of the trend, 1.5
	// Period / (1 - 1.5/Seasonal), and the least odd span of a Period.
	Trend, LowPass int
	// The degrees of the local polynomials, 0 or 1. A periodic season ignores the first.
	SeasonalDegree, TrendDegree, LowPassDegree int
	// The smoothers are evaluated at every so many steps and interpolated between. Zero
	// takes a tenth of the span, rounded up.
	SeasonalJump, TrendJump, LowPassJump int
	// Inner is the passes of the inner loop, at least 1. Outer is how often the robustness
	// weights are made and the inner loop is repeated; zero is no robustness.
	Inner, Outer int
}

// STLDefaults returns the defaults of R's stl for a season of so many steps: a periodic
// season, a local linear trend, 2 inner passes, or 1 and 15 outer ones when robust.
func STLDefaults(period int, robust bool) STLOptions {
	o := STLOptions{Period: period, TrendDegree: 1, LowPassDegree: 1, Inner: 2}
	if robust {
		o.Inner, o.Outer = 1, 15
	}
	return o
}

// Components are the parts of a series, each of its length and unit. A model of sums has y =
// Trend + Seasonal + Remainder, one of products y = Trend x Seasonal x Remainder.
type Components struct {
	Trend, Seasonal, Remainder []float64 // NaN where a method says nothing (ends of a moving average)
	Weights                    []float64 // STL: robustness weight of each point, 0 to 1
}

// STL splits y, in time order without gaps, into trend, season and remainder by repeated
// local regression; y = trend + season + remainder. It needs more than two seasons
// (ErrTooFew). For a season that grows with the level, pass the logarithm. Source: Cleveland,
// Cleveland, McRae & Terpenning (1990), STL, Journal of Official Statistics 6; defaults and
// the averaging of a periodic season as in R's stats::stl.
func STL(y []float64, o STLOptions) (Components, error) {
	if err := o.fill(len(y)); err != nil {
		return Components{}, err
	}
	if len(y) <= 2*o.Period || !finite(y) {
		return Components{}, ErrTooFew
	}
	n := len(y)
	c := Components{Trend: make([]float64, n), Seasonal: make([]float64, n), Remainder: make([]float64, n), Weights: make([]float64, n)}
	var weights []float64 // nil: all 1
	for outer := 0; ; outer++ {
		for range o.Inner {
			o.pass(y, weights, c)
		}
		if outer >= o.Outer {
			break
		}
		weights = robustness(y, c)
	}
	if o.periodic() {
		averageSeasons(c.Seasonal, o.Period)
	}
	for i := range y {
		c.Remainder[i] = y[i] - c.Trend[i] - c.Seasonal[i]
		c.Weights[i] = 1
	}
	if weights != nil {
		copy(c.Weights, weights)
	}
	return c, nil
}

func (o *STLOptions) periodic() bool { return o.Seasonal == 0 }

// fill checks the options and puts the defaults in, but leaves Seasonal at 0 when periodic.
func (o *STLOptions) fill(n int) error {
	if o.Period < 2 {
		return fmt.Errorf("stl: a season of %d steps, want 2 or more", o.Period)
	}
	span := float64(o.Seasonal)
	if o.periodic() {
		span = float64(10*n + 1)
		o.SeasonalDegree = 0
	}
	if o.Trend == 0 {
		o.Trend = nextOdd(1.5 * float64(o.Period) / (1 - 1.5/span))
	}
	if o.LowPass == 0 {
		o.LowPass = nextOdd(float64(o.Period))
	}
	for _, s := range []int{o.Seasonal, o.Trend, o.LowPass} {
		if s != 0 && (s < 3 || s%2 == 0) {
			return fmt.Errorf("stl: a span of %d, want an odd number of 3 or more", s)
		}
	}
	for _, d := range []int{o.SeasonalDegree, o.TrendDegree, o.LowPassDegree} {
		if d != 0 && d != 1 {
			return fmt.Errorf("stl: a polynomial of degree %d, want 0 or 1", d)
		}
	}
	if o.Inner < 1 || o.Outer < 0 || o.SeasonalJump < 0 || o.TrendJump < 0 || o.LowPassJump < 0 {
		return fmt.Errorf("stl: %d inner and %d outer passes, jumps %d, %d, %d", o.Inner, o.Outer, o.SeasonalJump, o.TrendJump, o.LowPassJump)
	}
	jump := func(given int, span float64) int {
		if given > 0 {
			return given
		}
		return int(math.Ceil(span / 10))
	}
	o.SeasonalJump, o.TrendJump, o.LowPassJump = jump(o.SeasonalJump, span), jump(o.TrendJump, float64(o.Trend)), jump(o.LowPassJump, float64(o.LowPass))
	return nil
}

// nextOdd rounds up to a whole odd number.
func nextOdd(v float64) int {
	w := int(math.Ceil(v))
	if w%2 == 0 {
		w++
	}
	return w
}

// pass runs the inner loop once: the season from the detrended series, the trend from the
// deseasonalized one.
func (o *STLOptions) pass(y, weights []float64, c Components) {
	n, period := len(y), o.Period
	detrended := make([]float64, n)
	for i := range y {
		detrended[i] = y[i] - c.Trend[i]
	}
	cycle := o.cycleSubseries(detrended, weights) // one season longer on either side
	low := movingAverage(movingAverage(movingAverage(cycle, period), period), 3)
	low = loess{o.LowPass, o.LowPassDegree, o.LowPassJump}.smooth(low, nil)
	deseasonalized := make([]float64, n)
	for i := range y {
		c.Seasonal[i] = cycle[period+i] - low[i]
		deseasonalized[i] = y[i] - c.Seasonal[i]
	}
	copy(c.Trend, loess{o.Trend, o.TrendDegree, o.TrendJump}.smooth(deseasonalized, weights))
}

// cycleSubseries smooths the values of each step of the season (all Januaries, …) and
// extrapolates them by one season on both sides.
func (o *STLOptions) cycleSubseries(y, weights []float64) []float64 {
	n, period := len(y), o.Period
	smoother := loess{o.Seasonal, o.SeasonalDegree, o.SeasonalJump}
	if o.periodic() {
		smoother.span = 10*n + 1
	}
	out := make([]float64, n+2*period)
	for phase := range period {
		var sub, w []float64
		for i := phase; i < n; i += period {
			sub = append(sub, y[i])
			if weights != nil {
				w = append(w, weights[i])
			}
		}
		k := len(sub)
		smooth := smoother.smooth(sub, w)
		before, ok := smoother.at(sub, w, -1, 0, min(smoother.span, k)-1)
		if !ok {
			before = smooth[0]
		}
		after, ok := smoother.at(sub, w, float64(k), max(0, k-smoother.span), k-1)
		if !ok {
			after = smooth[k-1]
		}
		out[phase], out[phase+(k+1)*period] = before, after
		for m, v := range smooth {
			out[phase+(m+1)*period] = v
		}
	}
	return out
}

// robustness returns the bisquare weights of the residuals over six times their median.
func robustness(y []float64, c Components) []float64 {
	r := make([]float64, len(y))
	for i := range y {
		r[i] = math.Abs(y[i] - c.Trend[i] - c.Seasonal[i])
	}
	scale := 6 * Quantile(slices.Sorted(slices.Values(r)), 0.5)
	for i, v := range r {
		switch {
		case v <= 0.001*scale:
			r[i] = 1
		case v <= 0.999*scale:
			r[i] = math.Pow(1-math.Pow(v/scale, 2), 2)
		default:
			r[i] = 0
		}
	}
	return r
}

// averageSeasons gives every step of the season its mean over the seasons.
func averageSeasons(season []float64, period int) {
	for phase := range min(period, len(season)) {
		sum, k := 0.0, 0.0
		for i := phase; i < len(season); i += period {
			sum += season[i]
			k++
		}
		for i := phase; i < len(season); i += period {
			season[i] = sum / k
		}
	}
}

// movingAverage returns the means of every so many neighbors, shorter by width - 1.
func movingAverage(x []float64, width int) []float64 {
	out := make([]float64, len(x)-width+1)
	sum := 0.0
	for i, v := range x {
		sum += v
		if i >= width {
			sum -= x[i-width]
		}
		if i >= width-1 {
			out[i-width+1] = sum / float64(width)
		}
	}
	return out
}

// loess smooths by local regression with tricube weights over the nearest span points.
type loess struct{ span, degree, jump int }

// smooth returns the smoothed y; every jump-th point is fitted, and those between are
// interpolated. weights multiply those of distance; nil is all 1.
func (l loess) smooth(y, weights []float64) []float64 {
	n := len(y)
	out := slices.Clone(y)
	if n < 2 {
		return out
	}
	jump := min(l.jump, n-1)
	half := (l.span + 1) / 2
	fit := func(i int) {
		left, right := 0, n-1
		if l.span < n {
			left = min(max(0, i+1-half), n-l.span)
			right = left + l.span - 1
		}
		if v, ok := l.at(y, weights, float64(i), left, right); ok {
			out[i] = v
		}
	}
	between := func(a, b int) {
		step := (out[b] - out[a]) / float64(b-a)
		for i := a + 1; i < b; i++ {
			out[i] = out[a] + step*float64(i-a)
		}
	}
	last := 0
	fit(0)
	for i := jump; i < n; i += jump {
		fit(i)
		between(last, i)
		last = i
	}
	if last != n-1 {
		fit(n - 1)
		between(last, n-1)
	}
	return out
}

// at fits the points left to right around x and reports false when all weigh nothing. A span
// longer than the series widens the neighborhood by half of what it is longer.
func (l loess) at(y, weights []float64, x float64, left, right int) (float64, bool) {
	h := max(x-float64(left), float64(right)-x)
	if l.span > len(y) {
		h += float64((l.span - len(y)) / 2)
	}
	w := make([]float64, right-left+1)
	sum := 0.0
	for k := range w {
		switch r := math.Abs(float64(left+k) - x); {
		case r > 0.999*h:
			continue
		case r > 0.001*h:
			w[k] = math.Pow(1-math.Pow(r/h, 3), 3)
		default:
			w[k] = 1
		}
		if weights != nil {
			w[k] *= weights[left+k]
		}
		sum += w[k]
	}
	if sum <= 0 {
		return 0, false
	}
	for k := range w {
		w[k] /= sum
	}
	if h > 0 && l.degree > 0 {
		center, spread := 0.0, 0.0
		for k, v := range w {
			center += v * float64(left+k)
		}
		for k, v := range w {
			spread += v * math.Pow(float64(left+k)-center, 2)
		}
		// Points that lie too close together have no slope.
		if math.Sqrt(spread) > 0.001*float64(len(y)-1) {
			for k := range w {
				w[k] *= (x-center)/spread*(float64(left+k)-center) + 1
			}
		}
	}
	value := 0.0
	for k, v := range w {
		value += v * y[left+k]
	}
	return value, true
}
