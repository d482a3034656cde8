package stats

import (
	"errors"
	"fmt"
	"math"

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
