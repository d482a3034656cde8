package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// NormalPrior is how true values (margins, effective rates) differ among the members of a
// group: normal with mean Mu and standard deviation Tau, in the unit of the values. MuSE and
// Members say how well they are known; zero means that they are given.
type NormalPrior struct {
	Mu, Tau, MuSE float64
	Members       int
}

// Tau2 estimates the variance of the true values between members from their values and
// standard errors.
type Tau2 func(values, se []float64) float64

// FitNormal learns a NormalPrior from the value of each member and its standard error
// (σᵢ/√nᵢ, positive), tau2 being PauleMandel or DerSimonianLaird. The mean is weighted by
// precision. It needs 5 members (ErrTooFew). Source: domain reference 5.3.
func FitNormal(values, se []float64, tau2 Tau2) (NormalPrior, error) {
	k := len(values)
	if k != len(se) || k < 5 || !finite(values, se) {
		return NormalPrior{}, ErrTooFew
	}
	for _, s := range se {
		if !(s > 0) {
			return NormalPrior{}, ErrTooFew
		}
	}
	t := tau2(values, se)
	mu, _, weight := weighted(values, se, t)
	return NormalPrior{mu, math.Sqrt(t), 1 / math.Sqrt(weight), k}, nil
}

// weighted returns the mean weighted by 1 / (tau2 + se²), the weighted squares around it
// and the sum of weights.
func weighted(values, se []float64, tau2 float64) (mean, squares, weight float64) {
	for i, x := range values {
		w := 1 / (tau2 + se[i]*se[i])
		mean += w * x
		weight += w
	}
	mean /= weight
	for i, x := range values {
		squares += (x - mean) * (x - mean) / (tau2 + se[i]*se[i])
	}
	return mean, squares, weight
}

// PauleMandel solves that the weighted squares are their degrees of freedom. Source: Paule &
// Mandel (1982), Journal of Research of the NBS 87.
func PauleMandel(values, se []float64) float64 {
	df := float64(len(values) - 1)
	squares := func(tau2 float64) float64 { _, s, _ := weighted(values, se, tau2); return s }
	if squares(0) <= df {
		return 0
	}
	low, high := 0.0, 1.0
	for _, s := range se {
		high = max(high, s*s)
	}
	for squares(high) > df {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if squares(middle) > df {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// DerSimonianLaird is the moment estimate with the weights of no difference between
// members. Source: DerSimonian & Laird (1986), Controlled Clinical Trials 7.
func DerSimonianLaird(values, se []float64) float64 {
	_, q, weight := weighted(values, se, 0)
	second := 0.0
	for _, s := range se {
		second += math.Pow(s, -4)
	}
	return max(0, (q-float64(len(values)-1))/(weight-second/weight))
}

// Posterior returns the true value of a member with value x and standard error se:
// w x + (1 − w) Mu with w = Tau² / (Tau² + se²). When the prior was learned, the interval
// is widened for what is not known of Mu and Tau. Sources: domain reference 5.3; Morris
// (1983), JASA 78, formulas 1.16 to 1.18.
func (p NormalPrior) Posterior(x, se, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if !finite([]float64{x, se, p.Mu, p.Tau}) || !(se > 0) || p.Tau < 0 {
		return Posterior{}, ErrTooFew
	}
	w := p.Tau * p.Tau / (p.Tau*p.Tau + se*se)
	mean := w*x + (1-w)*p.Mu
	variance := w*se*se + (1-w)*(1-w)*p.MuSE*p.MuSE
	if p.Members > 3 {
		k := float64(p.Members)
		variance += 2 / (k - 3) * (1 - w) * (1 - w) * (x - p.Mu) * (x - p.Mu)
	}
	sd := math.Sqrt(variance)
	q := distuv.UnitNormal.Quantile(0.5 + level/2)
	below := func(v float64) float64 { return distuv.Normal{Mu: mean, Sigma: sd}.CDF(v) }
	if sd == 0 {
		below = func(v float64) float64 { return Student{Interval: Interval{Estimate: mean}}.Below(v) }
	}
	return Posterior{Interval{mean, mean - q*sd, mean + q*sd, level, p.Members, "normal-normal"}, sd, w, below}, nil
}
