package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Shares is what a group says of the shares of its members when it is small: all priors
// that the data leave possible, by their probability.
type Shares struct {
	priors  []BetaPrior
	weights []float64
}

// Rates is Shares for rates.
type Rates struct {
	priors  []GammaPrior
	weights []float64
}

// Points of the grid over which the priors are weighed: how much the members are drawn
// together, 0 to 1, and where their mean lies, in standard errors.
const (
	shrinkagePoints = 16
	meanPoints      = 9
	meanReach       = 2.5
)

// LearnShares weighs priors for the successes k of n trials of each member, so that the
// posterior intervals know that the group itself is known only roughly. The prior's worth
// in trials has the density that makes the shrinkage of a member of average size uniform. It
// needs 5 members with a trial and both outcomes to occur (ErrTooFew). Source: Christiansen &
// Morris (1997), JASA 92, for counts; Lindley & Smith (1972), JRSS B 34.
func LearnShares(k, n []int) (Shares, error) {
	mean, err := checkShares(k, n)
	if err != nil {
		return Shares{}, err
	}
	members, trials, squares := 0.0, 0.0, 0.0
	for _, t := range n {
		if t > 0 {
			members++
		}
		trials += float64(t)
		squares += float64(t) * float64(t)
	}
	if members < fewestLearned {
		return Shares{}, ErrTooFew
	}
	var out Shares
	var logs []float64
	grid(trials/members, func(size, z float64) {
		rho := 1 / (size + 1)
		variance := mean * (1 - mean) * (1 - rho + rho*squares/trials) / trials
		logit := math.Log(mean/(1-mean)) + z*math.Sqrt(variance)/(mean*(1-mean))
		m := 1 / (1 + math.Exp(-logit))
		p := BetaPrior{m * size, (1 - m) * size}
		out.priors = append(out.priors, p)
		logs = append(logs, p.likelihood(k, n)+0.5*math.Log(variance)) // an even grid in the mean itself
	})
	out.weights = normalized(logs)
	return out, nil
}

// Mean returns the share that the members have by the priors' probability.
func (s Shares) Mean() float64 {
	mean := 0.0
	for i, p := range s.priors {
		mean += s.weights[i] * p.A / (p.A + p.B)
	}
	return mean
}

// Posterior returns the share of a member with k successes in n trials: the mean and
// standard deviation over all priors, and the Beta distribution that has them. Coverage is
// nominal within 4 points from 6 members on.
func (s Shares) Posterior(k, n int, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if k < 0 || k > n || len(s.priors) == 0 {
		return Posterior{}, ErrTooFew
	}
	var m moments
	for i, p := range s.priors {
		d := distuv.Beta{Alpha: p.A + float64(k), Beta: p.B + float64(n-k)}
		m.add(s.weights[i], d.Mean(), d.Variance(), float64(n)/(float64(n)+p.A+p.B))
	}
	size := m.mean*(1-m.mean)/m.variance() - 1
	return betaPosterior(distuv.Beta{Alpha: m.mean * size, Beta: (1 - m.mean) * size}, m.weight, level, n), nil
}

// LearnRates is LearnShares for the events in the exposure of each member. It needs 5
// members and an event (ErrTooFew).
func LearnRates(events []int, exposure []float64) (Rates, error) {
	mean, err := checkRates(events, exposure)
	if err != nil {
		return Rates{}, err
	}
	if len(events) < fewestLearned {
		return Rates{}, ErrTooFew
	}
	total, squares := sum(exposure), 0.0
	for _, e := range exposure {
		squares += e * e
	}
	var out Rates
	var logs []float64
	grid(total/float64(len(events)), func(size, z float64) {
		variance := mean/total + mean/size*squares/(total*total)
		m := mean * math.Exp(z*math.Sqrt(variance)/mean)
		p := GammaPrior{m * size, size}
		out.priors = append(out.priors, p)
		logs = append(logs, p.likelihood(events, exposure)+0.5*math.Log(variance))
	})
	out.weights = normalized(logs)
	return out, nil
}

// Posterior returns the rate of a member, events per unit of exposure, as Shares does. Its
// coverage is nominal within 5 points from 6 members on, 4 from 12.
func (r Rates) Posterior(events int, exposure, level float64) (Posterior, error) {
	if err := checkLevel(level); err != nil {
		return Posterior{}, err
	}
	if events < 0 || !(exposure >= 0) || math.IsInf(exposure, 0) || len(r.priors) == 0 {
		return Posterior{}, ErrTooFew
	}
	var m moments
	for i, p := range r.priors {
		d := distuv.Gamma{Alpha: p.Shape + float64(events), Beta: p.Exposure + exposure}
		m.add(r.weights[i], d.Mean(), d.Variance(), exposure/(exposure+p.Exposure))
	}
	v := m.variance()
	return gammaPosterior(distuv.Gamma{Alpha: m.mean * m.mean / v, Beta: m.mean / v}, m.weight, level, events), nil
}

// grid visits prior sizes at which the shrinkage of a member of average size, size / (size +
// average), is spread evenly, and means z standard errors from the pooled one.
func grid(average float64, visit func(size, z float64)) {
	for i := range shrinkagePoints {
		b := (float64(i) + 0.5) / shrinkagePoints
		for j := range meanPoints {
			visit(average*b/(1-b), meanReach*(2*float64(j)/(meanPoints-1)-1))
		}
	}
}

// normalized turns logarithms into weights that add up to 1.
func normalized(logs []float64) []float64 {
	best, total := math.Inf(-1), 0.0
	for _, l := range logs {
		best = max(best, l)
	}
	w := make([]float64, len(logs))
	for i, l := range logs {
		w[i] = math.Exp(l - best)
		total += w[i]
	}
	for i := range w {
		w[i] /= total
	}
	return w
}

// moments are those of a mixture, taken in one by one around the mean so far: a mean that is
// great beside the deviation would leave nothing of a difference of squares. Source: West
// (1979), Communications of the ACM 22.
type moments struct{ share, mean, squares, weight float64 }

func (m *moments) add(share, mean, variance, weight float64) {
	if share == 0 {
		return
	}
	m.share += share
	off := mean - m.mean
	m.mean += off * share / m.share
	m.squares += share * (variance + off*(mean-m.mean))
	m.weight += share * weight
}

func (m *moments) variance() float64 { return m.squares / m.share }
