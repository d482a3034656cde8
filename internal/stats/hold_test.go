package stats_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// TestEveryIntervalHoldsItsEstimate: whatever the values, a function answers with an
// interval around its estimate or with an error, and never panics.
func TestEveryIntervalHoldsItsEstimate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-1e6, 1e6)
		if rapid.IntRange(0, 3).Draw(t, "few different values") == 0 {
			value = rapid.Map(rapid.IntRange(-2, 2), func(i int) float64 { return float64(i) })
		}
		n := rapid.IntRange(0, 40).Draw(t, "n")
		x, y := rapid.SliceOfN(value, n, n).Draw(t, "x"), rapid.SliceOfN(value, n, n).Draw(t, "y")
		positive := make([]float64, n)
		counts, trials, marks := make([]int, n), make([]int, n), make([]bool, n)
		for i := range x {
			positive[i] = math.Abs(y[i]) + 1e-3
			counts[i] = int(math.Abs(x[i])) % 50
			trials[i] = counts[i] + int(math.Abs(y[i]))%50
			marks[i] = x[i] > 0
		}
		level := rapid.Float64Range(0.5, 0.999).Draw(t, "level")
		check := func(name string, i stats.Interval, err error) {
			t.Helper()
			slack := 1e-9 * (1 + math.Abs(i.Estimate) + math.Abs(i.High-i.Low))
			if err == nil && !(i.Low <= i.Estimate+slack && i.Estimate <= i.High+slack) {
				t.Fatalf("%s: got %+v", name, i)
			}
		}
		posterior := func(name string, p stats.Posterior, err error) { // skewed: the mean may lie outside
			t.Helper()
			if err == nil && !(p.Low <= p.High && p.SD >= 0 && p.Weight >= 0 && p.Weight <= 1+1e-9) {
				t.Fatalf("%s: got %+v", name, p.Interval)
			}
		}
		student := func(name string) func(stats.Student, error) {
			return func(s stats.Student, err error) {
				t.Helper()
				check(name, s.Interval, err)
				if p := s.Below(0); err == nil && !(p >= 0 && p <= 1) {
					t.Fatalf("%s: below zero with probability %v", name, p)
				}
			}
		}
		student("mean")(stats.Mean(x, level))
		student("monthly mean")(stats.MonthlyMean(x, level))
		student("ratio")(stats.RatioInterval(x, positive, level))
		student("HAC")(stats.HAC(x, level))
		student("HAC ratio")(stats.HACRatio(x, positive, level))
		few := stats.Resampling{Replicates: 30, Block: 1}
		_, err := stats.BootstrapMean(x, level, few)
		_ = err // leans to one side, and may leave the estimate out of a narrow level
		i, err := stats.QuantileInterval(x, 0.5, level)
		check("median", i, err)
		i, err = stats.QuantileInterval(x, 0.9, level)
		check("p90", i, err)
		i, err = stats.CountRate(counts, positive, level)
		check("count rate", i, err)
		if s, err := stats.KaplanMeier(positive, marks, level); err == nil {
			for _, step := range s.Steps {
				check("survival", stats.Interval{Estimate: step.Survival, Low: step.Low, High: step.High}, nil)
			}
		}
		for name, f := range map[string]func(x, y []float64, level float64) (stats.Association, error){"Pearson": stats.Pearson, "Spearman": stats.Spearman, "Kendall": stats.Kendall} {
			a, err := f(x, y, level)
			check(name, a.Interval, err)
			if err == nil && !(a.P >= 0 && a.P <= 1 && a.Low >= -1 && a.High <= 1) {
				t.Fatalf("%s: got %+v", name, a)
			}
		}
		if c, err := stats.CorrelateSeries(x, y, level); err == nil && c.N != n {
			t.Fatalf("%d of %d pairs", c.N, n)
		}
		if r, err := stats.Regress(y, [][]float64{x, positive}, level); err == nil {
			for _, c := range r.Coefficients {
				check("coefficient", c.Interval, nil)
			}
		}
		if s, err := stats.LearnShares(counts, trials); err == nil {
			p, err := s.Posterior(counts[0], trials[0], level)
			posterior("share of a group", p, err)
		}
		if r, err := stats.LearnRates(counts, positive); err == nil {
			p, err := r.Posterior(counts[0], positive[0], level)
			posterior("rate of a group", p, err)
		}
		if v, err := stats.LearnValues(x, positive); err == nil {
			p, err := v.Posterior(x[0], positive[0], level)
			posterior("value of a group", p, err)
		}
		if _, err := stats.FitBetaML(counts, trials); err == nil && n < 3 {
			t.Fatal("a group of two has a prior")
		}
		if test, err := stats.MannWhitney(x, y); err == nil && !(test.P >= 0 && test.P <= 1) {
			t.Fatalf("Mann-Whitney: got %+v", test)
		}
		if test, err := stats.KruskalWallis([][]float64{x, y}); err == nil && !(test.P >= 0 && test.P <= 1) {
			t.Fatalf("Kruskal-Wallis: got %+v", test)
		}
	})
}

// FuzzIntervals gives the functions any bits at all.
func FuzzIntervals(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.9)
	f.Add(1e308, -1e308, 1e308, 5e-324, 0.0, math.Inf(1), 0.5)
	f.Add(math.NaN(), 2.0, 3.0, 4.0, 5.0, 6.0, 2.0)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, level float64) {
		x := []float64{a, b, c, d, e, g, a, c, e, b, d, g, a, a, b}
		y := []float64{g, e, c, a, b, d, d, e, a, c, b, g, c, d, e}
		for name, f := range map[string]func() error{
			"mean":      func() error { return second(stats.Mean(x, level)) },
			"ratio":     func() error { return second(stats.RatioInterval(x, y, level)) },
			"bootstrap": func() error { return second(stats.BootstrapMean(x, level, stats.Resampling{Replicates: 5, Block: 1})) },
			"quantile":  func() error { return second(stats.QuantileInterval(x, a, level)) },
			"correlate": func() error { return second(stats.CorrelateSeries(x, y, level)) },
			"regress":   func() error { return second(stats.Regress(x, [][]float64{y}, level)) },
			"values":    func() error { return second(stats.LearnValues(x, y)) },
		} {
			if err := f(); err == nil && name != "values" && !(level > 0 && level < 1) {
				t.Errorf("%s: level %v was accepted", name, level)
			}
		}
	})
}

func TestAPreciseValueFarFromTheOthersKeepsItsDeviation(t *testing.T) {
	x := []float64{131072, 1, 1, 1, 1, 2, 1, 1, 1, 1}
	se := []float64{0.0019765625, 131072, 1, 2, 1, 1, 0.5, 1, 1, 0.5}
	v, err := stats.LearnValues(x, se)
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Posterior(x[0], se[0], 0.9)
	if err != nil || !(p.SD > 0.99*se[0] && p.SD < 1.01*se[0]) || !(p.Low < p.High) {
		t.Errorf("got %+v, %v; the others say nothing of it: its deviation is its standard error %v", p.Interval, err, se[0])
	}
}
