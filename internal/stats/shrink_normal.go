package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// NormalPrior is how true values (margins, effective rates) differ among the members of a
// group: normal with mean Mu and standard deviation Tau, in the unit of the values.
type NormalPrior struct{ Mu, Tau float64 }

// Tau2 estimates the variance of the true values between members from their values and
// standard errors.
type Tau2 func(values, se []float64) float64

// FitNormal learns a NormalPrior from the value of each member and its standard error
// (σᵢ/√nᵢ, positive), tau2 being PauleMandel or DerSimonianLaird. The mean is weighted by
// precision. It needs 5 members (ErrTooFew). Source: domain reference 5.3.
func FitNormal(values, se []float64, tau2 Tau2) (NormalPrior, error) {
	if err := checkValues(values, se); err != nil {
		return NormalPrior{}, err
	}
	t := tau2(values, se)
	mu, _, _ := weighted(values, se, t)
	return NormalPrior{mu, math.Sqrt(t)}, nil
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

func checkValues(values, se []float64) error {
	if len(values) != len(se) || len(values) < fewestLearned || !finite(values, se) {
		return ErrTooFew
	}
	for _, s := range se {
		if !(s > 0) {
			return ErrTooFew
		}
	}
	return nil
}

// Posterior returns the true value of a member with value x and standard error se:
// w x + (1 − w) Mu with w = Tau² / (Tau² + se²). It takes the prior as given: with a prior
// learned from few members the interval is too narrow, of no width when Tau is 0;
// LearnValues knows better. Source: domain reference 5.3.
func (p NormalPrior) Posterior(x, se, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if !finite([]float64{x, se, p.Mu, p.Tau}) || !(se > 0) || p.Tau < 0 {
		return Posterior{}, ErrTooFew
	}
	w := p.Tau * p.Tau / (p.Tau*p.Tau + se*se)
	return normalPosterior(w*x+(1-w)*p.Mu, math.Sqrt(w)*se, w, level, 1), nil
}

func normalPosterior(mean, sd, weight, level float64, n int) Posterior {
	half := sd * distuv.UnitNormal.Quantile(0.5+level/2)
	i := Interval{mean, mean - half, mean + half, level, n, "normal-normal"}
	below := func(v float64) float64 { return distuv.Normal{Mu: mean, Sigma: sd}.CDF(v) }
	if sd == 0 {
		below = Student{Interval: i}.Below
	}
	return Posterior{i, sd, weight, below}
}

// Values is Shares for values with standard errors.
type Values struct {
	priors  []NormalPrior
	meanSE  []float64 // of the mean under each prior
	weights []float64
}

// LearnValues weighs all Tau by how well they explain the values of the members, with the
// density that makes the shrinkage of a member of average error uniform, as LearnShares
// does, and any mean. It needs 5 members with positive standard errors (ErrTooFew). Source:
// Gelman et al., Bayesian Data Analysis, 5.4.
func LearnValues(values, se []float64) (Values, error) {
	if err := checkValues(values, se); err != nil {
		return Values{}, err
	}
	average := 0.0
	for _, s := range se {
		average += s * s / float64(len(se))
	}
	var out Values
	var logs []float64
	const points = 40
	for i := range points {
		b := (float64(i) + 0.5) / points
		tau2 := average * (1 - b) / b
		mu, squares, weight := weighted(values, se, tau2)
		l := -0.5*squares - 0.5*math.Log(weight)
		for _, s := range se {
			l -= 0.5 * math.Log(tau2+s*s)
		}
		out.priors = append(out.priors, NormalPrior{mu, math.Sqrt(tau2)})
		out.meanSE = append(out.meanSE, 1/math.Sqrt(weight))
		logs = append(logs, l)
	}
	out.weights = normalized(logs)
	return out, nil
}

// Average returns the priors' mean by their probability: what the members are like.
func (v Values) Average() NormalPrior {
	var p NormalPrior
	for i, one := range v.priors {
		p.Mu += v.weights[i] * one.Mu
		p.Tau += v.weights[i] * one.Tau
	}
	return p
}

// Posterior returns the true value of one of the members, with value x and standard error
// se: the mean and standard deviation over all Tau and means, and the normal distribution
// that has them. Coverage is nominal within 3 points from 6 members on.
func (v Values) Posterior(x, se, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if !finite([]float64{x, se}) || !(se > 0) || len(v.priors) == 0 {
		return Posterior{}, ErrTooFew
	}
	var m moments
	for i, p := range v.priors {
		w := p.Tau * p.Tau / (p.Tau*p.Tau + se*se)
		spread := (1 - w) * v.meanSE[i]
		m.add(v.weights[i], w*x+(1-w)*p.Mu, w*se*se+spread*spread, w)
	}
	return normalPosterior(m.mean, math.Sqrt(m.variance()), m.weight, level, 1), nil
}
