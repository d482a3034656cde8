package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Change is a point from which on a series has another level.
type Change struct {
	At            int // index of the first point of the new level
	Before, After float64
	// First and Last bound At: the dates a likelihood ratio does not exclude at Level.
	First, Last int
	Level       float64
}

const (
	minSegment = 3   // a level of fewer points is an outlier
	outlierCut = 3.0 // standard deviations beyond which a value says no more
	// changePenalty times log n is what a change must explain, in variances of the mean: the
	// least that keeps false changes to at most 1 in 20 series of 24 points or more
	// (TestEvalChanges).
	changePenalty = 3.0
	// changePrior and changeMonths are the memory of the noise before the series has spoken.
	changePrior, changeMonths = 0.2, 8.0
)

// ChangePoints cuts y, in time order, into stretches of one level each, so that squared
// deviations plus a penalty for every change are least over all ways to cut (optimal
// partitioning). Deviations beyond 3 standard deviations count as 3, so that single outliers
// make no level; a stretch has at least 3 points. The noise is measured by the stretches
// themselves, and its memory, an autoregression of first order, raises the penalty. Level is
// the nominal coverage of First to Last. y must have no season and no trend: a slope is cut
// into steps (see Components and ShockModel). It needs 12 points (ErrTooFew) and at most
// 1,000. Sources: Jackson et al. (2005), An algorithm for optimal partitioning of data on an
// interval; Fearnhead & Rigaill (2019), Changepoint detection in the presence of outliers,
// JASA 114; dates: Eo & Morley (2015), Likelihood-ratio-based confidence sets for the timing
// of structural breaks, Quantitative Economics 6.
func ChangePoints(y []float64, level float64) ([]Change, error) {
	if err := checkLevel(level); err != nil {
		return nil, err
	}
	n := len(y)
	if n < 12 || !finite(y) {
		return nil, ErrTooFew
	}
	if n > 1000 {
		return nil, fmt.Errorf("change points: %d values, want at most 1000", n)
	}
	c := changeSearch{y: y, sigma: differenceScale(y)}
	if !(c.sigma > 0) { // most values repeat the one before: any step is beyond noise
		c.sigma = 1e-9 * (math.Abs(y[0]) + slices.Max(y) - slices.Min(y))
		if c.sigma == 0 || slices.Max(y) == slices.Min(y) {
			return nil, nil
		}
	}
	c.fill()
	cuts := c.cut(c.penalty(changePrior))
	residuals := c.residuals(cuts)
	rho := changePrior
	if r, err := Autocorrelation(residuals, 1); err == nil {
		k, m := float64(len(cuts)+1), float64(n)
		rho = (r[1]*m + k) / (m - 3*min(k, m/6)) // every mean takes some memory away
		rho = min(rhoMax, max(0, (rho*m+changePrior*changeMonths)/(m+changeMonths)))
	}
	cuts = c.cut(c.penalty(rho))
	return c.changes(cuts, rho, level), nil
}

// changeSearch holds the cost of every stretch.
type changeSearch struct {
	y     []float64
	sigma float64     // scale of one step to the next over root 2
	cost  [][]float64 // [i][j-i-1] of y[i:j], in units of sigma squared
}

// differenceScale measures noise by the median step, which levels and outliers hardly touch.
func differenceScale(y []float64) float64 {
	d := make([]float64, len(y)-1)
	for i := range d {
		d[i] = math.Abs(y[i+1] - y[i])
	}
	slices.Sort(d)
	return Quantile(d, 0.5) / distuv.UnitNormal.Quantile(0.75) / math.Sqrt2
}

// penalty is that of one change when the noise has a memory: the mean of a stretch then
// varies more than the steps let expect, (1+rho)/(1-rho) for the mean of so noisy values and
// 1/(1-rho) since steps show too little of it.
func (c *changeSearch) penalty(rho float64) float64 {
	return changePenalty * math.Log(float64(len(c.y))) * (1 + rho) / ((1 - rho) * (1 - rho))
}

func (c *changeSearch) fill() {
	n := len(c.y)
	c.cost = make([][]float64, n)
	for i := range n {
		c.cost[i] = make([]float64, n-i)
		sorted := make([]float64, 0, n-i)
		for j := i; j < n; j++ {
			at, _ := slices.BinarySearch(sorted, c.y[j])
			sorted = slices.Insert(sorted, at, c.y[j])
			_, c.cost[i][j-i] = c.level(sorted)
		}
	}
}

// level returns the mean of the sorted values near their median, and their capped squared
// deviations from it.
func (c *changeSearch) level(sorted []float64) (center, cost float64) {
	median, sum, k := Quantile(sorted, 0.5), 0.0, 0.0
	for _, v := range sorted {
		if math.Abs(v-median) <= outlierCut*c.sigma {
			sum += v - median
			k++
		}
	}
	center = median
	if k > 0 {
		center += sum / k
	}
	for _, v := range sorted {
		d := min(math.Abs(v-center)/c.sigma, outlierCut)
		cost += d * d
	}
	return center, cost
}

// cut returns the starts of the second and later stretches.
func (c *changeSearch) cut(penalty float64) []int {
	n := len(c.y)
	least, from := make([]float64, n+1), make([]int, n+1)
	least[0] = -penalty
	for j := 1; j <= n; j++ {
		least[j] = math.Inf(1)
		for i := 0; i+minSegment <= j; i++ {
			if v := least[i] + penalty + c.cost[i][j-i-1]; v < least[j] {
				least[j], from[j] = v, i
			}
		}
	}
	var cuts []int
	for j := from[n]; j > 0; j = from[j] {
		cuts = append(cuts, j)
	}
	slices.Reverse(cuts)
	return cuts
}

func (c *changeSearch) center(i, j int) float64 {
	center, _ := c.level(slices.Sorted(slices.Values(c.y[i:j])))
	return center
}

func (c *changeSearch) residuals(cuts []int) []float64 {
	out, i := make([]float64, 0, len(c.y)), 0
	for _, j := range append(slices.Clone(cuts), len(c.y)) {
		center := c.center(i, j)
		for _, v := range c.y[i:j] {
			out = append(out, max(-outlierCut*c.sigma, min(outlierCut*c.sigma, v-center)))
		}
		i = j
	}
	return out
}

// changes describes the cuts. A date is kept when moving the change there costs less than
// the quantile of the likelihood ratio: P(2 max < x) = (1 - exp(-x/2))².
func (c *changeSearch) changes(cuts []int, rho, level float64) []Change {
	residuals, squares := c.residuals(cuts), 0.0
	for _, r := range residuals {
		squares += r * r / float64(len(residuals)-len(cuts)-1)
	}
	unit := squares / (c.sigma * c.sigma) * (1 + rho) / (1 - rho) // variance of the noise, its memory counted
	bound := -2 * math.Log(1-math.Sqrt(level)) * unit
	var out []Change
	for k, at := range cuts {
		from, to := 0, len(c.y)
		if k > 0 {
			from = cuts[k-1]
		}
		if k+1 < len(cuts) {
			to = cuts[k+1]
		}
		split := func(m int) float64 { return c.cost[from][m-from-1] + c.cost[m][to-m-1] }
		change := Change{At: at, Before: c.center(from, at), After: c.center(at, to), First: at, Last: at, Level: level}
		best := math.Inf(1)
		for m := from + 1; m < to; m++ {
			best = min(best, split(m))
		}
		for m := from + 1; m < to; m++ {
			if split(m) <= best+bound {
				change.First, change.Last = min(change.First, m), max(change.Last, m)
			}
		}
		out = append(out, change)
	}
	return out
}
