package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile returns the p-quantile of sorted values by linear interpolation (type 7 of
// Hyndman & Fan, 1996), NaN when there are none.
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	h := p * float64(len(sorted)-1)
	i := int(math.Floor(h))
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

// QuantileOfType returns the p-quantile (0 to 1) of sorted values by one of the nine rules
// in use, so that a figure of another program can be met: 7 is what Quantile, R and
// spreadsheets do, 6 is SPSS and PERCENTILE.EXC, 3 is SAS, 2 is Stata. It needs a value
// (ErrTooFew). Source: Hyndman & Fan (1996), The American Statistician 50.
func QuantileOfType(sorted []float64, p float64, kind int) (float64, error) {
	n := len(sorted)
	if n == 0 || !finite(sorted) {
		return 0, ErrTooFew
	}
	if kind < 1 || kind > 9 {
		return 0, fmt.Errorf("quantile type %d, want 1 to 9", kind)
	}
	if !(p >= 0 && p <= 1) {
		return 0, fmt.Errorf("quantile %v is not between 0 and 1", p)
	}
	at := func(rank int) float64 { return sorted[min(n, max(1, rank))-1] }
	const fuzz = 4 * 0x1p-52 // what rounding of n p may add
	m := float64(n)
	if kind <= 3 {
		h := m * p
		if kind == 3 {
			h -= 0.5
		}
		j := int(math.Floor(h + fuzz))
		whole := math.Abs(h-float64(j)) <= fuzz*max(1, h)
		switch {
		case whole && kind == 2:
			return (at(j) + at(j+1)) / 2, nil
		case whole && kind == 1, whole && kind == 3 && j%2 == 0:
			return at(j), nil
		}
		return at(j + 1), nil
	}
	a, b := 0.0, 1.0 // type 4
	switch kind {
	case 5:
		a, b = 0.5, 0.5
	case 6:
		b = 0
	case 7:
		a = 1
	case 8:
		a, b = 1.0/3, 1.0/3
	case 9:
		a, b = 3.0/8, 3.0/8
	}
	h := a + p*(m+1-a-b)
	j := math.Floor(h + fuzz)
	g := h - j
	if math.Abs(g) < fuzz {
		g = 0
	}
	return at(int(j)) + g*(at(int(j)+1)-at(int(j))), nil
}

// MAD returns the median absolute deviation from the median, times 1.4826 so that it
// estimates the standard deviation of normal values; in the unit of x, NaN when there are
// no values. Source: Hampel (1974), JASA 69.
func MAD(x []float64) float64 {
	middle := Quantile(slices.Sorted(slices.Values(x)), 0.5)
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - middle)
	}
	slices.Sort(d)
	return 1.4826 * Quantile(d, 0.5)
}

// MedianInterval is QuantileInterval of the median. It needs 5 values, and 8 for a level of
// 99 % (ErrTooFew).
func MedianInterval(x []float64, level float64) (Interval, error) {
	return QuantileInterval(x, 0.5, level)
}

// QuantileInterval returns the p-quantile of independent values with its interval from order
// statistics, interpolated between neighboring ones so that the coverage is level and not
// merely at least level, whatever the distribution (simulated: within 2 points). It needs 5
// values and as many as the ends ask for, p^n and (1-p)^n being at most (1 − level) / 2: 29
// for the p90 at 90 %, 6 for the median at 95 % (ErrTooFew). Sources: Hettmansperger & Sheather (1986),
// Statistics & Probability Letters 4; Nyblom (1992), the same 14.
func QuantileInterval(x []float64, p, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if !(p > 0 && p < 1) {
		return Interval{}, fmt.Errorf("quantile %v is not between 0 and 1", p)
	}
	if len(x) < 5 || !finite(x) {
		return Interval{}, ErrTooFew
	}
	s := slices.Sorted(slices.Values(x))
	negated := make([]float64, len(s))
	for i, v := range s {
		negated[len(s)-1-i] = -v
	}
	low, ok := lowerQuantile(s, p, (1-level)/2)
	high, ok2 := lowerQuantile(negated, 1-p, (1-level)/2)
	if !ok || !ok2 {
		return Interval{}, ErrTooFew
	}
	estimate := Quantile(s, p)
	return Interval{estimate, min(low, estimate), max(-high, estimate), level, len(s), "order statistics, interpolated"}, nil
}

// lowerQuantile returns what lies above the p-quantile with probability tail; false when
// even the smallest value does more often.
func lowerQuantile(sorted []float64, p, tail float64) (float64, bool) {
	n := len(sorted)
	b := distuv.Binomial{N: float64(n), P: p}
	// The r-th value, counted from 1, is above the quantile when fewer than r are below it.
	above := func(r int) float64 { return b.CDF(float64(r - 1)) }
	if above(1) > tail {
		return 0, false
	}
	r := 1
	for r < n && above(r+1) <= tail {
		r++
	}
	if r == n {
		return sorted[n-1], true
	}
	share := (tail - above(r)) / (above(r+1) - above(r))
	if share == 0 {
		return sorted[r-1], true
	}
	weight := 1 / (1 + float64(r)*(1-p)/(float64(n-r)*p)*(1-share)/share)
	return sorted[r-1] + weight*(sorted[r]-sorted[r-1]), true
}
