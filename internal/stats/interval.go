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

// Times returns the interval of k times the value, k from 0 on: a year's total from a
// month's mean.
func (i Interval) Times(k float64) Interval {
	i.Estimate, i.Low, i.High = k*i.Estimate, k*i.Low, k*i.High
	return i
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

// largestValue is what may be squared and summed without overflow.
const largestValue = 1e150

func finite(xs ...[]float64) bool {
	for _, x := range xs {
		for _, v := range x {
			if !(math.Abs(v) <= largestValue) {
				return false
			}
		}
	}
	return true
}

// Trend is a robust slope per step with its interval and a test of direction.
type Trend struct {
	Interval          // slope per step (month)
	Intercept float64 // value at step 0 on the line
	P         float64 // two-sided p of "no trend" (Mann-Kendall)
}

// TheilSen returns the median of all pairwise slopes of y over equal steps, with an
// interval from Kendall's variance, and the Mann-Kendall p. It needs 6 points. Sources: Sen
// (1968), JASA 63; interval as in Gilbert (1987), 16.5; Mann (1945), Kendall (1975), with
// the correction for ties.
func TheilSen(y []float64, level float64) (Trend, error) {
	if err := checkLevel(level); err != nil {
		return Trend{}, err
	}
	n := len(y)
	if n < 6 || !finite(y) {
		return Trend{}, ErrTooFew
	}
	var slopes []float64
	score := 0.0
	for i := range y {
		for j := i + 1; j < n; j++ {
			slopes = append(slopes, (y[j]-y[i])/float64(j-i))
			score += sign(y[j] - y[i])
		}
	}
	slices.Sort(slopes)
	variance := float64(n*(n-1)*(2*n+5)) / 18
	ties := map[float64]int{}
	for _, v := range y {
		ties[v]++
	}
	for _, t := range ties {
		variance -= float64(t*(t-1)*(2*t+5)) / 18
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	c := z * math.Sqrt(max(0, variance))
	m := float64(len(slopes))
	at := func(rank float64) float64 { // ranks count from 1, between ranks interpolated
		return Quantile(slopes, min(1, max(0, (rank-1)/max(1, m-1))))
	}
	median := Quantile(slopes, 0.5)
	p := 1.0
	if variance > 0 && score != 0 {
		p = 2 * distuv.UnitNormal.Survival((math.Abs(score)-1)/math.Sqrt(variance))
	}
	residuals := make([]float64, n)
	for i, v := range y {
		residuals[i] = v - median*float64(i)
	}
	slices.Sort(residuals)
	return Trend{Interval{median, at((m - c) / 2), at((m+c)/2 + 1), level, n, "Theil-Sen"}, Quantile(residuals, 0.5), min(1, p)}, nil
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

func meanOf(x []float64) float64 { return stat.Mean(x, nil) }
