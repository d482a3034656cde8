package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is a robust slope per step with its interval and a test of direction.
type Trend struct {
	Interval          // slope per step (month); of SeasonalKendall per season (year)
	Intercept float64 // value at step 0 on the line
	P         float64 // two-sided p of "no trend" (Mann-Kendall)
}

// TheilSen returns the median of all pairwise slopes of y over equal steps, with an
// interval from Kendall's variance, and the Mann-Kendall p. It needs 6 points. Interval and
// p hold for values that do not remember each other; see TrendWithMemory. Sources: Sen
// (1968), JASA 63; interval as in Gilbert (1987), 16.5; Mann (1945), Kendall (1975), with
// the correction for ties.
func TheilSen(y []float64, level float64) (Trend, error) {
	return kendallTrend(y, level, "Theil-Sen", func([]float64) float64 { return 1 })
}

// HamedRao is TheilSen with Kendall's variance corrected for the memory of the values: by
// the autocorrelations of the ranks of the detrended values that are significant at 5 %. It
// needs 6 points; below about 50 the many estimated autocorrelations make it too sure or too
// wide by chance, and TrendWithMemory holds its level better. Source: Hamed & Rao (1998), A
// modified Mann-Kendall trend test for autocorrelated data, Journal of Hydrology 204.
func HamedRao(y []float64, level float64) (Trend, error) {
	return kendallTrend(y, level, "Theil-Sen, Hamed-Rao variance", func(residuals []float64) float64 {
		n := len(residuals)
		ranked, _ := ranks(residuals)
		r, err := Autocorrelation(ranked, n-2)
		if err != nil { // a straight line
			return 1
		}
		bound := distuv.UnitNormal.Quantile(0.975) / math.Sqrt(float64(n))
		return kendallInflation(n, func(lag int) float64 {
			if lag > n-2 || math.Abs(r[lag]) <= bound {
				return 0
			}
			return r[lag]
		})
	})
}

// TrendWithMemory is TheilSen with Kendall's variance corrected for values that remember the
// one before (a first-order autoregression): the correction of Hamed & Rao (1998) with the
// autocorrelations that follow from one coefficient. That is estimated from the residuals of
// the line, corrected for its small-sample bias (Marriott & Pope 1954), drawn towards 0.35
// as strongly as 8 months would and kept between 0 and 0.9. It needs 8 points. The level was
// measured by simulation: TestEvalTrends holds the generator.
func TrendWithMemory(y []float64, level float64) (Trend, error) {
	if len(y) < 8 {
		return Trend{}, ErrTooFew
	}
	return kendallTrend(y, level, "Theil-Sen, AR(1) variance", func(residuals []float64) float64 {
		n := float64(len(residuals))
		r, err := Autocorrelation(residuals, 1)
		if err != nil {
			return 1
		}
		rho := (r[1]*n + 2) / (n - 5) // a line takes two parameters
		rho = min(memoryMax, max(0, (rho*n+rhoPrior*priorMonths)/(n+priorMonths)))
		return kendallInflation(len(residuals), func(lag int) float64 {
			return 6 / math.Pi * math.Asin(math.Pow(rho, float64(lag))/2) // of ranks
		})
	})
}

// memoryMax is the most memory that a trend is told apart from.
const memoryMax = 0.9

// kendallInflation returns by how much the variance of Kendall's score grows with the
// autocorrelations of the ranks. Source: Hamed & Rao (1998), equation 17.
func kendallInflation(n int, rho func(lag int) float64) float64 {
	m, sum := float64(n), 0.0
	for lag := 1; lag < n; lag++ {
		k := float64(lag)
		sum += (m - k) * (m - k - 1) * (m - k - 2) * rho(lag)
	}
	return max(0, 1+2*sum/(m*(m-1)*(m-2)))
}

// kendallTrend makes the slope, its interval and p; inflation says by how much the variance
// of the score grows, given the residuals of the line.
func kendallTrend(y []float64, level float64, method string, inflation func(residuals []float64) float64) (Trend, error) {
	if err := checkLevel(level); err != nil {
		return Trend{}, err
	}
	n := len(y)
	if n < 6 || !finite(y) {
		return Trend{}, ErrTooFew
	}
	score, variance, slopes := kendallScore(y)
	slices.Sort(slopes)
	slope := Quantile(slopes, 0.5)
	residuals := make([]float64, n)
	for i, v := range y {
		residuals[i] = v - slope*float64(i)
	}
	variance *= inflation(residuals)
	slices.Sort(residuals)
	return Trend{slopeInterval(slopes, variance, level, n, method), Quantile(residuals, 0.5), kendallP(score, variance)}, nil
}

// kendallScore returns how many pairs of y rise less those that fall, the variance of that
// without a trend, corrected for ties, and the slopes of all pairs.
func kendallScore(y []float64) (score, variance float64, slopes []float64) {
	n := len(y)
	for i := range y {
		for j := i + 1; j < n; j++ {
			slopes = append(slopes, (y[j]-y[i])/float64(j-i))
			score += sign(y[j] - y[i])
		}
	}
	variance = float64(n*(n-1)*(2*n+5)) / 18
	ties := map[float64]int{}
	for _, v := range y {
		ties[v]++
	}
	for _, t := range ties {
		variance -= float64(t*(t-1)*(2*t+5)) / 18
	}
	return score, max(0, variance), slopes
}

// kendallP is the two-sided p of a score, with the correction for continuity.
func kendallP(score, variance float64) float64 {
	if score == 0 || !(variance > 0) {
		return 1
	}
	return min(1, 2*distuv.UnitNormal.Survival((math.Abs(score)-1)/math.Sqrt(variance)))
}

// slopeInterval returns the median of sorted slopes with the order statistics around it.
func slopeInterval(slopes []float64, variance, level float64, n int, method string) Interval {
	c := distuv.UnitNormal.Quantile(0.5+level/2) * math.Sqrt(variance)
	m := float64(len(slopes))
	at := func(rank float64) float64 { // ranks count from 1, between ranks interpolated
		return Quantile(slopes, min(1, max(0, (rank-1)/max(1, m-1))))
	}
	return Interval{Quantile(slopes, 0.5), at((m - c) / 2), at((m+c)/2 + 1), level, n, method}
}

// SeasonalKendall returns the trend per season (year) of a series with a season of so many
// steps: Kendall's scores and the slopes are made within each step of the season (January
// with January) and put together, so that the season does not count. It needs three seasons
// (ErrTooFew). Interval and p hold for values that do not remember each other. The intercept
// is the median of y less the slope to its middle. Source: Hirsch, Slack & Smith (1982),
// Techniques of trend analysis for monthly water quality data, Water Resources Research 18.
func SeasonalKendall(y []float64, period int, level float64) (Trend, error) {
	if err := checkLevel(level); err != nil {
		return Trend{}, err
	}
	if period < 2 {
		return Trend{}, fmt.Errorf("seasonal kendall: a season of %d steps, want 2 or more", period)
	}
	n := len(y)
	if n < 3*period || !finite(y) {
		return Trend{}, ErrTooFew
	}
	var score, variance float64
	var slopes []float64
	for _, sub := range bySeason(y, period) {
		s, v, d := kendallScore(sub)
		score, variance, slopes = score+s, variance+v, append(slopes, d...)
	}
	slices.Sort(slopes)
	slope := slopeInterval(slopes, variance, level, n, "seasonal Kendall")
	middle := float64(n-1) / 2 / float64(period)
	return Trend{slope, Quantile(slices.Sorted(slices.Values(y)), 0.5) - slope.Estimate*middle, kendallP(score, variance)}, nil
}

// bySeason returns the values of each step of the season in order of time.
func bySeason(y []float64, period int) [][]float64 {
	groups := make([][]float64, period)
	for i, v := range y {
		groups[i%period] = append(groups[i%period], v)
	}
	return groups
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
