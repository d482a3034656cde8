package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// ErrTooFew says that there are too few observations to say anything.
var ErrTooFew = errors.New("too few observations")

// Interval is an estimate with its interval.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Level    float64 `json:"level"`  // nominal coverage, 0.9 is 90 %
	N        int     `json:"n"`      // observations
	Method   string  `json:"method"` // how it was made, for people
}

// HalfWidth returns half the interval's width.
func (i Interval) HalfWidth() float64 { return (i.High - i.Low) / 2 }

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("level %v is not between 0 and 1", level)
	}
	return nil
}

// Wilson returns the score interval of a share of k successes in n trials. Source: Wilson
// (1927), Probable inference, JASA 22; domain reference 5.3.
func Wilson(k, n int, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if n < 1 || k < 0 || k > n {
		return Interval{}, ErrTooFew
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	p, m := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{p, max(0, center-half), min(1, center+half), level, n, "Wilson score"}, nil
}

// PoissonRate returns the exact interval of events per unit of exposure. Source: Garwood
// (1936), Biometrika 28, through the chi-squared relation.
func PoissonRate(events int, exposure, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if events < 0 || !(exposure > 0) {
		return Interval{}, ErrTooFew
	}
	alpha := 1 - level
	low := 0.0
	if events > 0 {
		low = distuv.ChiSquared{K: 2 * float64(events)}.Quantile(alpha/2) / 2
	}
	high := distuv.ChiSquared{K: 2 * float64(events+1)}.Quantile(1-alpha/2) / 2
	return Interval{float64(events) / exposure, low / exposure, high / exposure, level, events, "exact Poisson"}, nil
}

// MedianInterval returns the median with its order-statistic interval, whose coverage is at
// least level. Source: binomial(n, 1/2) ranks; Conover (1999), Practical Nonparametric
// Statistics, 3.2.
func MedianInterval(x []float64, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if len(x) < 5 || !finite(x) {
		return Interval{}, ErrTooFew
	}
	s := slices.Sorted(slices.Values(x))
	b := distuv.Binomial{N: float64(len(s)), P: 0.5}
	rank := 0
	for rank < len(s)/2 && b.CDF(float64(rank)) <= (1-level)/2 {
		rank++
	}
	if rank == 0 {
		return Interval{}, ErrTooFew
	}
	return Interval{Quantile(s, 0.5), s[rank-1], s[len(s)-rank], level, len(s), "order statistics"}, nil
}

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

func finite(xs ...[]float64) bool {
	for _, x := range xs {
		for _, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return false
			}
		}
	}
	return true
}

// HHI returns the Herfindahl-Hirschman index of shares of positive amounts and the number
// of equal parts with the same index; 0, 0 when no amount is positive. Source: domain
// reference 2.7.
func HHI(amounts []float64) (index, effective float64) {
	total := 0.0
	for _, a := range amounts {
		total += max(0, a)
	}
	if total <= 0 {
		return 0, 0
	}
	for _, a := range amounts {
		s := max(0, a) / total
		index += s * s
	}
	return index, 1 / index
}

// BetaBinomialMean returns the posterior mean of a share under a Beta(a, b) prior.
// Source: domain reference 5.3.
func BetaBinomialMean(k, n, a, b float64) float64 { return (k + a) / (n + a + b) }

// Shrunken is an estimate drawn towards the mean of its group.
type Shrunken struct {
	Weight float64 // of the own observations, 0 to 1
	Mean   float64
	SD     float64
	PBelow float64 // probability that the true value is below 0
}

// ShrinkNormal combines n observations of mean x and standard deviation sigma with a
// normal prior of mean mu and standard deviation tau. Source: domain reference 5.3
// (normal-normal).
func ShrinkNormal(x, sigma, n, mu, tau float64) Shrunken {
	w := tau * tau / (tau*tau + sigma*sigma/n)
	mean := w*x + (1-w)*mu
	sd := math.Sqrt(w * sigma * sigma / n)
	return Shrunken{w, mean, sd, distuv.Normal{Mu: mean, Sigma: sd}.CDF(0)}
}

func meanOf(x []float64) float64 { return stat.Mean(x, nil) }
