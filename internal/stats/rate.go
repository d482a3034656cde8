package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PoissonRate returns the exact interval of events per unit of exposure when events come
// independently. It covers at least as often as it says, much more often for a handful of
// events; CountRate covers just as often. It needs a positive exposure (ErrTooFew). Source:
// Garwood (1936), Biometrika 28, through the chi-squared relation.
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

// overdispersed is the variance over the mean above which counts are not Poisson (domain
// reference 5.3).
const overdispersed = 1.5

// CountRate returns events per unit of exposure from the counts of periods (months) and
// their exposures (endpoints, hours, …, positive). When the variance of the counts over
// their mean, by their exposures, is above 1.5, events come in clusters: then the variance is
// that of a negative binomial distribution by moments and the interval is Student's t on
// the logarithm of the rate. Else events are Poisson and the interval is Jeffreys', which
// covers as often as it says. Below 12 periods, which cannot tell, the wider variance of
// both is taken. It needs 5 periods (ErrTooFew); without any event it is PoissonRate.
//
// Coverage (TestEvalCountRate): within 3 points for Poisson counts from 12 periods on, up
// to 9 above below; within 5 points below for a variance up to 4 times the mean. Sources:
// Lawless (1987), Canadian Journal of Statistics 15; Brown, Cai & DasGupta (2003), Statistica
// Sinica 13.
func CountRate(counts []int, exposure []float64, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	n := len(counts)
	if n < 5 || len(exposure) != n || !finite(exposure) {
		return Interval{}, ErrTooFew
	}
	events := 0
	for i, y := range counts {
		if y < 0 || !(exposure[i] > 0) {
			return Interval{}, ErrTooFew
		}
		events += y
	}
	total := sum(exposure)
	if events == 0 {
		return PoissonRate(0, total, level)
	}
	y := float64(events)
	rate := y / total
	squares, pearson := 0.0, 0.0
	for i, c := range counts {
		d := float64(c) - rate*exposure[i]
		squares += d * d
		pearson += d * d / (rate * exposure[i])
	}
	m := float64(n)
	if pearson/(m-1) <= overdispersed && n >= wholeYear {
		low := distuv.ChiSquared{K: 2*y + 1}.Quantile((1-level)/2) / 2
		high := distuv.ChiSquared{K: 2*y + 1}.Quantile((1+level)/2) / 2
		return Interval{rate, low / total, high / total, level, events, "Poisson, Jeffreys"}, nil
	}
	se := math.Sqrt(max(1/y, m/(m-1)*squares/(y*y))) // of the logarithm
	half := math.Exp(se * tQuantile(0.5+level/2, m-1))
	return Interval{rate, rate / half, rate * half, level, events, "negative binomial, Student's t of the log rate"}, nil
}

// RateRatio returns the rate of the first over that of the second of two independent counts
// of Poisson events. Each needs an event and a positive exposure (ErrTooFew). Source: Zou
// & Donner (2008), Statistics in Medicine 27: the intervals of both log rates, combined.
func RateRatio(events1 int, exposure1 float64, events2 int, exposure2, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	if events1 < 1 || events2 < 1 || !(exposure1 > 0) || !(exposure2 > 0) {
		return Interval{}, ErrTooFew
	}
	logs := func(events int, exposure float64) (at, down, up float64) {
		d := distuv.ChiSquared{K: 2*float64(events) + 1}
		at = math.Log(float64(events))
		low, high := d.Quantile((1-level)/2)/2, d.Quantile((1+level)/2)/2
		return at - math.Log(exposure), at - math.Log(low), math.Log(high) - at
	}
	a, downA, upA := logs(events1, exposure1)
	b, downB, upB := logs(events2, exposure2)
	low, high := a-b-math.Hypot(downA, upB), a-b+math.Hypot(upA, downB)
	return Interval{math.Exp(a - b), math.Exp(low), math.Exp(high), level, events1 + events2, "combined log rates"}, nil
}
