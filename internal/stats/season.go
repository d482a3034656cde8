package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// SeasonKruskalWallis tests whether the steps of a season (the months) differ: Kruskal and
// Wallis' H of the values by month after the trend of SeasonalKendall (of two seasons: of
// TheilSen) is taken off. p comes from the F distribution of H (n-k) / ((k-1) (n-1-H)), which
// holds its level in small groups better than chi-squared. Memory of one month for the next
// hardly matters, as the values of a month lie a season apart. It needs two seasons
// (ErrTooFew). Sources: Kruskal & Wallis (1952), JASA 47; Iman & Davenport (1976); Lothian &
// Morry (1978) for the use on seasons.
func SeasonKruskalWallis(y []float64, period int) (statistic, p float64, err error) {
	if period < 2 {
		return 0, 0, fmt.Errorf("season: %d steps, want 2 or more", period)
	}
	n := len(y)
	if n < 2*period || n < 6 || !finite(y) {
		return 0, 0, ErrTooFew
	}
	slope := 0.0
	if trend, err := SeasonalKendall(y, period, 0.9); err == nil {
		slope = trend.Estimate / float64(period)
	} else if trend, err := TheilSen(y, 0.9); err == nil {
		slope = trend.Estimate
	}
	flat := make([]float64, n)
	for i, v := range y {
		flat[i] = v - slope*float64(i)
	}
	ranks, _ := ranks(flat)
	m, k := float64(n), float64(period)
	variance := stat.Variance(ranks, nil) * (m - 1) / m
	if !(variance > 0) {
		return 0, 1, nil
	}
	for _, group := range bySeason(ranks, period) {
		statistic += float64(len(group)) * math.Pow(meanOf(group)-(m+1)/2, 2)
	}
	statistic *= (m - 1) / m / variance
	if statistic >= m-1 {
		return statistic, 0, nil
	}
	f := statistic * (m - k) / ((k - 1) * (m - 1 - statistic))
	return statistic, distuv.F{D1: k - 1, D2: m - k}.Survival(f), nil
}

// SeasonQS tests whether the first differences of y are like those one and two seasons
// before: a Ljung-Box statistic of positive autocorrelations at these two lags, 0 when the
// first is not positive. p is from chi-squared of 2 degrees of freedom, an approximation on
// the safe side. It needs three seasons (ErrTooFew). Sources: Maravall (2012), Update of
// seasonality tests and automatic model identification in TRAMO-SEATS; X-13ARIMA-SEATS
// Reference Manual, 7.
func SeasonQS(y []float64, period int) (statistic, p float64, err error) {
	if period < 2 {
		return 0, 0, fmt.Errorf("season: %d steps, want 2 or more", period)
	}
	if len(y) < 3*period || !finite(y) {
		return 0, 0, ErrTooFew
	}
	d := make([]float64, len(y)-1)
	for i := range d {
		d[i] = y[i+1] - y[i]
	}
	r, err := Autocorrelation(d, 2*period)
	if err != nil { // a straight line
		return 0, 1, nil
	}
	if r[period] <= 0 {
		return 0, 1, nil
	}
	n := float64(len(d))
	for _, lag := range []int{period, 2 * period} {
		statistic += n * (n + 2) * math.Pow(max(0, r[lag]), 2) / (n - float64(lag))
	}
	return statistic, distuv.ChiSquared{K: 2}.Survival(statistic), nil
}

// Strength says how much of a decomposed series is trend and how much is season, each 0 to
// 1: the share of the variance of that part and the remainder that is not the remainder's.
// Of a short series both are well above 0 by chance; the tests say whether a season is there.
// The parts must add up (STL), and NaN ends are left out. Source: Wang, Smith & Hyndman
// (2006); Hyndman & Athanasopoulos (2021), 4.3.
func (c Components) Strength() (trend, season float64) {
	var remainder, withTrend, withSeason []float64
	for i, r := range c.Remainder {
		if !math.IsNaN(r) {
			remainder = append(remainder, r)
			withTrend = append(withTrend, r+c.Trend[i])
			withSeason = append(withSeason, r+c.Seasonal[i])
		}
	}
	share := func(with []float64) float64 {
		v := stat.Variance(with, nil)
		if len(with) < 2 || !(v > 0) {
			return 0
		}
		return min(1, max(0, 1-stat.Variance(remainder, nil)/v))
	}
	return share(withTrend), share(withSeason)
}
