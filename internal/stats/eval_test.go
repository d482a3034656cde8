package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// The evaluations measure how often intervals hold the truth at each nominal level. Run
// with MOAT_SOAK (make eval-insight) they draw more; in every other run they draw
// less, with bounds widened by what chance does to so few draws.

var nominal = []float64{0.5, 0.8, 0.9, 0.95}

// a trial is one simulated data set: the truth and the interval at each level. An error is
// a refusal, which is counted but not judged.
type trial func(rnd *rand.Rand) (truth float64, interval func(level float64) (stats.Interval, error))

// allowed is by how many points coverage may fall short of the level or exceed it.
type allowed struct{ short, over float64 }

var within3 = allowed{3, 3}

func cover(t *testing.T, label string, draws, reduced int, a allowed, run trial) {
	t.Helper()
	if os.Getenv("MOAT_SOAK") == "" {
		draws = reduced
	}
	seed := stats.Seed(label)
	rnd := rand.New(rand.NewPCG(seed, 1))
	hits, refused := make([]int, len(nominal)), 0
	for range draws {
		truth, interval := run(rnd)
		for l, level := range nominal {
			i, err := interval(level)
			if err != nil {
				refused++
				break
			}
			if i.Low <= truth && truth <= i.High {
				hits[l]++
			}
		}
	}
	answered := draws - refused
	line := fmt.Sprintf("%-58s", label)
	for l, level := range nominal {
		c := float64(hits[l]) / float64(answered)
		line += fmt.Sprintf(" %5.1f", 100*c)
		chance := 100 * 3 * math.Sqrt(level*(1-level)/float64(answered))
		if d := 100 * (c - level); !(d >= -a.short-chance && d <= a.over+chance) {
			t.Errorf("%s: covers %.1f %% at %.0f %%, allowed %v short and %v over", label, 100*c, 100*level, a.short, a.over)
		}
	}
	if refused > 0 {
		line += fmt.Sprintf("  (%.1f %% refused)", 100*float64(refused)/float64(draws))
	}
	t.Log(line)
}

// sure turns an estimate that is already made into its intervals.
func sure(s stats.Student, err error) func(float64) (stats.Interval, error) {
	return func(level float64) (stats.Interval, error) {
		if err != nil {
			return stats.Interval{}, err
		}
		at, err := s.At(level)
		return at.Interval, err
	}
}

// shock draws a value of mean 0 and variance 1: normal, or skewed (shifted exponential).
func shock(rnd *rand.Rand, skewed bool) float64 {
	if skewed {
		return rnd.ExpFloat64() - 1
	}
	return rnd.NormFloat64()
}

func shocks(rnd *rand.Rand, n int, skewed bool) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = shock(rnd, skewed)
	}
	return x
}

func TestEvalMean(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 8, 12, 24} {
		for _, skewed := range []bool{false, true} {
			a := within3
			if skewed && n < 24 {
				a.short = 7
			} else if skewed {
				a.short = 4
			}
			cover(t, fmt.Sprintf("mean, n %d, skewed %v", n, skewed), 4000, 500, a, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
				return 0, sure(stats.Mean(shocks(rnd, n, skewed), 0.9))
			})
		}
	}
}

func TestEvalDifferences(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 12} {
		cover(t, fmt.Sprintf("Welch difference, n %d and 8, sd 1 and 3", n), 4000, 500, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			x, y := shocks(rnd, n, false), shocks(rnd, 8, false)
			for i := range y {
				y[i] *= 3
			}
			d, _, err := stats.Welch(x, y, 0.9)
			return 0, sure(d, err)
		})
		cover(t, fmt.Sprintf("ratio of two means (Fieller), n %d and 12", n), 3000, 400, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			x, y := shocks(rnd, n, false), shocks(rnd, 12, false)
			for i := range x {
				x[i] += 3
			}
			for i := range y {
				y[i] += 5
			}
			return 0.6, func(level float64) (stats.Interval, error) {
				a, err := stats.Mean(x, level)
				if err != nil {
					return stats.Interval{}, err
				}
				b, err := stats.Mean(y, level)
				if err != nil {
					return stats.Interval{}, err
				}
				return stats.Over(a, b)
			}
		})
	}
	for _, n := range []int{8, 12, 40} {
		cover(t, fmt.Sprintf("difference of shares, n %d and 20", n), 6000, 500, allowed{3, 5}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			p, q := 0.1+0.8*rnd.Float64(), 0.1+0.8*rnd.Float64()
			k1, k2 := binomial(rnd, n, p), binomial(rnd, 20, q)
			return p - q, func(level float64) (stats.Interval, error) { return stats.ShareDifference(k1, n, k2, 20, level) }
		})
	}
	for _, mean := range []float64{8, 40} {
		cover(t, fmt.Sprintf("ratio of rates, about %v events", mean), 4000, 500, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			r1, r2 := mean*(0.5+rnd.Float64()), mean*(0.5+rnd.Float64())
			y1, y2 := poisson(rnd, r1), poisson(rnd, r2)
			return r1 / r2, func(level float64) (stats.Interval, error) { return stats.RateRatio(y1, 1, y2, 1, level) }
		})
	}
}

func binomial(rnd *rand.Rand, n int, p float64) (k int) {
	for range n {
		if rnd.Float64() < p {
			k++
		}
	}
	return k
}

func TestEvalSharesAndRates(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 8, 12, 50} {
		cover(t, fmt.Sprintf("share (Wilson), n %d", n), 6000, 600, allowed{3, 4}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			p := 0.05 + 0.9*rnd.Float64()
			k := binomial(rnd, n, p)
			return p, func(level float64) (stats.Interval, error) { return stats.Wilson(k, n, level) }
		})
	}
	for _, mean := range []float64{3, 20} {
		cover(t, fmt.Sprintf("exact Poisson (at least), about %v events", mean), 4000, 500, allowed{0, 20}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			m := mean * (0.5 + rnd.Float64())
			y := poisson(rnd, m)
			return m, func(level float64) (stats.Interval, error) { return stats.PoissonRate(y, 1, level) }
		})
	}
}

// countsOf draws counts of months of the given mean and variance over mean.
func countsOf(rnd *rand.Rand, n int, mean, dispersion float64) ([]int, []float64) {
	counts, exposure := make([]int, n), make([]float64, n)
	for i := range counts {
		m := mean
		if dispersion > 1 {
			m = gammaDraw(rnd, mean/(dispersion-1)) * (dispersion - 1)
		}
		counts[i], exposure[i] = poisson(rnd, m), 10
	}
	return counts, exposure
}

func TestEvalCountRate(t *testing.T) {
	t.Parallel()
	for _, n := range []int{6, 12, 24} {
		for _, dispersion := range []float64{1, 2, 4} {
			for _, mean := range []float64{2, 15} {
				a := allowed{4.5, 3}
				if n < 12 && dispersion < 2 {
					a.over = 9
				}
				cover(t, fmt.Sprintf("count rate, n %d, mean %v, variance/mean %v", n, mean, dispersion), 4000, 400, a, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
					m := mean * math.Exp(0.2*rnd.NormFloat64())
					counts, exposure := countsOf(rnd, n, m, dispersion)
					return m / 10, func(level float64) (stats.Interval, error) { return stats.CountRate(counts, exposure, level) }
				})
			}
		}
	}
}

func TestEvalQuantiles(t *testing.T) {
	t.Parallel()
	z90 := 1.2815515655446004
	for _, c := range []struct {
		n int
		p float64
	}{{6, 0.5}, {8, 0.5}, {12, 0.5}, {24, 0.5}, {40, 0.9}, {80, 0.9}} {
		for _, skewed := range []bool{false, true} {
			cover(t, fmt.Sprintf("quantile %v, n %d, lognormal %v", c.p, c.n, skewed), 3000, 400, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
				x, truth := shocks(rnd, c.n, false), 0.0
				if c.p > 0.5 {
					truth = z90
				}
				if skewed {
					for i := range x {
						x[i] = math.Exp(x[i])
					}
					truth = math.Exp(truth)
				}
				return truth, func(level float64) (stats.Interval, error) { return stats.QuantileInterval(x, c.p, level) }
			})
		}
	}
}

func TestEvalSurvival(t *testing.T) {
	t.Parallel()
	for _, n := range []int{12, 24, 60} {
		for _, what := range []string{"median", "p90", "survival at the median"} {
			if what == "p90" && n < 60 {
				continue // mostly not bounded above
			}
			cover(t, fmt.Sprintf("Kaplan-Meier %s, n %d, a third censored", what, n), 2000, 300, allowed{4, 5}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
				times, censored := make([]float64, n), make([]bool, n)
				for i := range times {
					end, seen := rnd.ExpFloat64(), 2*rnd.ExpFloat64()
					times[i], censored[i] = min(end, seen), seen < end
				}
				truth := map[string]float64{"median": math.Ln2, "p90": math.Log(10)}[what]
				if truth == 0 {
					truth = 0.5
				}
				return truth, func(level float64) (stats.Interval, error) {
					s, err := stats.KaplanMeier(times, censored, level)
					if err != nil || what == "median" {
						return s.Median, err
					}
					if what == "p90" {
						return s.Quantile(0.9), nil
					}
					at := stats.Interval{Low: 1, High: 1}
					for _, step := range s.Steps {
						if step.Time <= math.Ln2 {
							at = stats.Interval{Low: step.Low, High: step.High}
						}
					}
					return at, nil
				}
			})
		}
	}
}

func TestEvalCorrelations(t *testing.T) {
	t.Parallel()
	methods := map[string]func(x, y []float64, level float64) (stats.Association, error){"Pearson": stats.Pearson, "Spearman": stats.Spearman, "Kendall": stats.Kendall}
	for _, n := range []int{5, 8, 12, 24} {
		for _, rho := range []float64{0, 0.5, 0.8} {
			truth := map[string]float64{"Pearson": rho, "Spearman": 6 / math.Pi * math.Asin(rho/2), "Kendall": 2 / math.Pi * math.Asin(rho)}
			for _, name := range []string{"Pearson", "Spearman", "Kendall"} {
				a := within3
				switch { // few orders of few ranks: coverage moves in steps
				case n == 5:
					a = allowed{5, 30}
				case n < 12:
					a = allowed{5, 13}
				case name != "Pearson":
					a = allowed{3, 5}
				}
				if name == "Pearson" && n == 5 {
					a = allowed{3, 6}
				}
				cover(t, fmt.Sprintf("%s, n %d, %.1f", name, n, truth[name]), 1200, 300, a, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
					x, y := shocks(rnd, n, false), shocks(rnd, n, false)
					for i := range y {
						y[i] = rho*x[i] + math.Sqrt(1-rho*rho)*y[i]
					}
					return truth[name], func(level float64) (stats.Interval, error) {
						c, err := methods[name](x, y, level)
						return c.Interval, err
					}
				})
			}
		}
	}
	cover(t, "partial, n 12, two controls, 0.5", 2000, 300, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
		x, y, a, b := shocks(rnd, 12, false), shocks(rnd, 12, false), shocks(rnd, 12, false), shocks(rnd, 12, false)
		for i := range y {
			y[i] = 0.5*x[i] + math.Sqrt(0.75)*y[i] + a[i]
			x[i] += b[i]
		}
		return 0.5, func(level float64) (stats.Interval, error) {
			c, err := stats.Partial(x, y, [][]float64{a, b}, level)
			return c.Interval, err
		}
	})
	cover(t, "slope of a regression, n 8, two predictors", 2000, 300, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
		a, b, y := shocks(rnd, 8, false), shocks(rnd, 8, false), shocks(rnd, 8, false)
		for i := range y {
			y[i] += 2*a[i] - b[i]
		}
		r, err := stats.Regress(y, [][]float64{a, b}, 0.9)
		if err != nil {
			return 2, sure(stats.Student{}, err)
		}
		return 2, sure(r.Coefficients[1].Student, nil)
	})
}

// TestEvalShrinkage measures posteriors as they are used: the prior is learned from the
// group, and every member's interval counts.
func TestEvalShrinkage(t *testing.T) {
	t.Parallel()
	for _, members := range []int{6, 12, 40} {
		cover(t, fmt.Sprintf("margins, normal-normal, %d members", members), 3000, 400, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			truth, values, se := 0.0, make([]float64, members), make([]float64, members)
			for i := range values {
				truth = 0.42 + 0.10*rnd.NormFloat64()
				se[i] = 0.25 / math.Sqrt(float64(3+i%12))
				values[i] = truth + se[i]*rnd.NormFloat64()
			}
			last := members - 1 // any will do: the group is drawn anew each time
			prior, err := stats.LearnValues(values, se)
			return truth, func(level float64) (stats.Interval, error) {
				if err != nil {
					return stats.Interval{}, err
				}
				p, err := prior.Posterior(values[last], se[last], level)
				return p.Interval, err
			}
		})
		cover(t, fmt.Sprintf("shares, beta-binomial, %d members", members), 2000, 200, allowed{5, 4}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			truth, k, n := 0.0, make([]int, members), make([]int, members)
			for i := range k {
				truth = betaDraw(rnd, 6, 2)
				n[i] = 5 + (7*i)%20
				k[i] = binomial(rnd, n[i], truth)
			}
			last := members - 1
			prior, err := stats.LearnShares(k, n)
			return truth, func(level float64) (stats.Interval, error) {
				if err != nil {
					return stats.Interval{}, err
				}
				p, err := prior.Posterior(k[last], n[last], level)
				return p.Interval, err
			}
		})
		cover(t, fmt.Sprintf("rates, gamma-Poisson, %d members", members), 2000, 200, allowed{5, 4}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			truth, y, exposure := 0.0, make([]int, members), make([]float64, members)
			for i := range y {
				truth = gammaDraw(rnd, 4) / 10
				exposure[i] = 5 + float64((7*i)%30)
				y[i] = poisson(rnd, truth*exposure[i])
			}
			last := members - 1
			prior, err := stats.LearnRates(y, exposure)
			return truth, func(level float64) (stats.Interval, error) {
				if err != nil {
					return stats.Interval{}, err
				}
				p, err := prior.Posterior(y[last], exposure[last], level)
				return p.Interval, err
			}
		})
	}
}
