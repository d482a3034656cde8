package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat/distuv"
)

// Posterior is what is known of one member of a group after drawing its own value towards
// the group; in the unit of the values.
type Posterior struct {
	Interval         // Estimate is the posterior mean
	SD       float64 // posterior standard deviation
	Weight   float64 // of the member's own value, 0 to 1; the rest is the group's

	below func(x float64) float64
}

// Below returns the posterior probability that the true value is below x, 0 to 1.
func (p Posterior) Below(x float64) float64 { return p.below(x) }

// fewestGroups is the number of members below which nothing can be learned of a group.
const fewestGroups = 3

// fewestLearned is that number where the posterior is to know how little is learned.
const fewestLearned = 5

// largestPrior bounds how many trials or how much exposure a prior may be worth when the
// members do not differ at all.
const largestPrior = 1e6

// BetaPrior is how shares differ among the members of a group: Beta(A, B), worth A + B trials.
type BetaPrior struct{ A, B float64 }

// FitBeta learns a BetaPrior from the successes k of n trials of each member by the method
// of moments: the variance between members above what chance makes. It needs 3 members with
// a trial and both outcomes to occur (ErrTooFew). Source: Kleinman (1973), JASA 68.
func FitBeta(k, n []int) (BetaPrior, error) {
	mean, err := checkShares(k, n)
	if err != nil {
		return BetaPrior{}, err
	}
	var s, total, squares, m float64
	for i := range k {
		if n[i] == 0 {
			continue
		}
		t := float64(n[i])
		d := float64(k[i])/t - mean
		s += t * d * d
		total += t
		squares += t * t
		m++
	}
	chance := mean * (1 - mean)
	excess := s - chance*(m-1)
	rho := 1 / (largestPrior + 1)
	if room := chance * (total - squares/total - (m - 1)); room > 0 {
		rho = max(rho, min(0.99, excess/room))
	}
	return BetaPrior{mean * (1/rho - 1), (1 - mean) * (1/rho - 1)}, nil
}

// FitBetaML is FitBeta by maximum likelihood of the beta-binomial distribution, which uses
// small members better. Source: Griffiths (1973), Biometrics 29.
func FitBetaML(k, n []int) (BetaPrior, error) {
	start, err := FitBeta(k, n)
	if err != nil {
		return BetaPrior{}, err
	}
	at := func(v []float64) BetaPrior {
		mean, size := 1/(1+math.Exp(-v[0])), min(largestPrior, math.Exp(v[1]))
		return BetaPrior{mean * size, (1 - mean) * size}
	}
	size := min(1e4, start.A+start.B)
	best := minimize([]float64{math.Log(start.A / start.B), math.Log(size)}, func(v []float64) float64 { return -at(v).likelihood(k, n) })
	return at(best), nil
}

// likelihood returns the logarithm of the probability of the successes, up to a constant.
func (p BetaPrior) likelihood(k, n []int) float64 {
	l, own := 0.0, mathext.Lbeta(p.A, p.B)
	for i := range k {
		l += mathext.Lbeta(p.A+float64(k[i]), p.B+float64(n[i]-k[i])) - own
	}
	return l
}

func checkShares(k, n []int) (mean float64, err error) {
	if len(k) != len(n) {
		return 0, ErrTooFew
	}
	members, hits, trials := 0, 0, 0
	for i := range k {
		if k[i] < 0 || k[i] > n[i] {
			return 0, ErrTooFew
		}
		if n[i] > 0 {
			members++
		}
		hits, trials = hits+k[i], trials+n[i]
	}
	if members < fewestGroups || hits == 0 || hits == trials {
		return 0, ErrTooFew
	}
	return float64(hits) / float64(trials), nil
}

// Posterior returns the share of a member with k successes in n trials: its mean is
// (k + A) / (n + A + B). It takes the prior as given: a prior learned from fewer than 40
// members makes the interval too narrow (at 12, 78 % instead of 90); LearnShares does not.
// Source: domain reference 5.3.
func (p BetaPrior) Posterior(k, n int, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if k < 0 || k > n || !(p.A > 0) || !(p.B > 0) {
		return Posterior{}, ErrTooFew
	}
	return betaPosterior(distuv.Beta{Alpha: p.A + float64(k), Beta: p.B + float64(n-k)}, float64(n)/(float64(n)+p.A+p.B), level, n), nil
}

func betaPosterior(d distuv.Beta, weight, level float64, n int) Posterior {
	i := Interval{d.Mean(), d.Quantile((1 - level) / 2), d.Quantile((1 + level) / 2), level, n, "beta-binomial"}
	return Posterior{i, d.StdDev(), weight, func(x float64) float64 { return d.CDF(min(1, max(0, x))) }}
}

// GammaPrior is how rates differ among the members of a group: Gamma(Shape, Exposure),
// worth Shape events in so much exposure.
type GammaPrior struct{ Shape, Exposure float64 }

// FitGamma learns a GammaPrior from the events in the exposure (endpoints, months, …, all
// positive) of each member by the method of moments. It needs 3 members and an event
// (ErrTooFew). Source: Clayton & Kaldor (1987), Biometrics 43.
func FitGamma(events []int, exposure []float64) (GammaPrior, error) {
	mean, err := checkRates(events, exposure)
	if err != nil {
		return GammaPrior{}, err
	}
	var s, total, squares float64
	for i, y := range events {
		d := float64(y)/exposure[i] - mean
		s += exposure[i] * d * d
		total += exposure[i]
		squares += exposure[i] * exposure[i]
	}
	variance := (s - mean*float64(len(events)-1)) / (total - squares/total)
	variance = max(variance, mean*mean/largestPrior)
	return GammaPrior{mean * mean / variance, mean / variance}, nil
}

// FitGammaML is FitGamma by maximum likelihood of the negative binomial distribution.
func FitGammaML(events []int, exposure []float64) (GammaPrior, error) {
	start, err := FitGamma(events, exposure)
	if err != nil {
		return GammaPrior{}, err
	}
	at := func(v []float64) GammaPrior {
		mean, shape := math.Exp(v[0]), min(largestPrior, math.Exp(v[1]))
		return GammaPrior{shape, shape / mean}
	}
	best := minimize([]float64{math.Log(start.Shape / start.Exposure), math.Log(min(1e4, start.Shape))}, func(v []float64) float64 { return -at(v).likelihood(events, exposure) })
	return at(best), nil
}

// likelihood returns the logarithm of the probability of the events, up to a constant.
func (p GammaPrior) likelihood(events []int, exposure []float64) float64 {
	l := 0.0
	own, _ := math.Lgamma(p.Shape)
	for i, y := range events {
		with, _ := math.Lgamma(p.Shape + float64(y))
		l += with - own - p.Shape*math.Log1p(exposure[i]/p.Exposure) - float64(y)*math.Log(p.Exposure+exposure[i])
	}
	return l
}

func checkRates(events []int, exposure []float64) (mean float64, err error) {
	if len(events) != len(exposure) || len(events) < fewestGroups || !finite(exposure) {
		return 0, ErrTooFew
	}
	y := 0
	for i, e := range events {
		if e < 0 || !(exposure[i] > 0) {
			return 0, ErrTooFew
		}
		y += e
	}
	if y == 0 {
		return 0, ErrTooFew
	}
	return float64(y) / sum(exposure), nil
}

// Posterior returns the rate, events per unit of exposure, of a member: its mean is
// (events + Shape) / (exposure + Exposure). It takes the prior as given: a prior learned from
// fewer than 40 members makes the interval too narrow; LearnRates does not. Source: domain
// reference 5.3.
func (p GammaPrior) Posterior(events int, exposure, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if events < 0 || !(exposure >= 0) || math.IsInf(exposure, 0) || !(p.Shape > 0) || !(p.Exposure > 0) {
		return Posterior{}, ErrTooFew
	}
	return gammaPosterior(distuv.Gamma{Alpha: p.Shape + float64(events), Beta: p.Exposure + exposure}, exposure/(exposure+p.Exposure), level, events), nil
}

func gammaPosterior(d distuv.Gamma, weight, level float64, events int) Posterior {
	i := Interval{d.Mean(), d.Quantile((1 - level) / 2), d.Quantile((1 + level) / 2), level, events, "gamma-Poisson"}
	return Posterior{i, d.StdDev(), weight, func(x float64) float64 { return d.CDF(max(0, x)) }}
}

// minimize returns where f is least, from start on.
func minimize(start []float64, f func([]float64) float64) []float64 {
	safe := func(x []float64) float64 {
		if v := f(x); !math.IsNaN(v) {
			return v
		}
		return math.Inf(1)
	}
	r, err := optimize.Minimize(optimize.Problem{Func: safe}, start, &optimize.Settings{
		Converger: &optimize.FunctionConverge{Absolute: 1e-12, Iterations: 200}, MajorIterations: 2000,
	}, &optimize.NelderMead{})
	if err != nil || r == nil || !finite(r.X) || safe(r.X) > safe(start) {
		return slices.Clone(start)
	}
	return r.X
}
