package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// The generator of the coverage test (also in testdata/README.md). A month t of a client
// has
//
//	den_t = D (1 + a sin(2 pi (t + s) / 12)) exp(v_t - sigma_v^2/2)   revenue, hours or capacity
//	num_t = R den_t + D b sin(2 pi (t + s') / 12) + D sigma u_t       its counterpart
//
// where u is a stationary AR(1) with coefficient rho and unit variance whose shocks are
// normal or (skewed) shifted exponential, v is white noise with sigma_v = 0.1, and the
// phases s, s' are drawn anew for each draw. The estimand is R = E[num] / E[den] over whole
// years, when the waves cancel.
type generator struct {
	name          string
	ratio, sigma  float64
	season, extra float64 // a, b
	rho           float64
	skewed        bool
}

func (g generator) draw(rnd *rand.Rand, n int) (num, den []float64) {
	const sigmaV = 0.1
	s1, s2 := rnd.Float64()*12, rnd.Float64()*12
	shock := func() float64 {
		if g.skewed {
			return rnd.ExpFloat64() - 1
		}
		return rnd.NormFloat64()
	}
	u := rnd.NormFloat64()
	for range 50 { // reach the stationary law whatever the shocks
		u = g.rho*u + math.Sqrt(1-g.rho*g.rho)*shock()
	}
	for t := range n {
		u = g.rho*u + math.Sqrt(1-g.rho*g.rho)*shock()
		d := (1 + g.season*math.Sin(2*math.Pi*(float64(t)+s1)/12)) * math.Exp(sigmaV*rnd.NormFloat64()-sigmaV*sigmaV/2)
		den = append(den, 100*d)
		num = append(num, 100*(g.ratio*d+g.extra*math.Sin(2*math.Pi*(float64(t)+s2)/12)+g.sigma*u))
	}
	return num, den
}

// TestEvalRatioInterval measures RatioInterval on the stated generator. Fewer than 12 months
// have no season there: half a wave moves the ratio of any method. A dozen months cannot tell
// their own memory, so the wider bounds of no memory and of skewed shocks are what its doc
// comment states.
func TestEvalRatioInterval(t *testing.T) {
	t.Parallel()
	for _, n := range []int{5, 6, 8, 12, 18, 24, 36} {
		for _, rho := range []float64{0, 0.2, 0.4} {
			for _, skewed := range []bool{false, true} {
				a := within3
				switch {
				case skewed:
					a = allowed{9, 12}
				case rho == 0:
					a = allowed{1, 12}
				case n < 24:
					a = allowed{4.5, 4.5}
				}
				label := fmt.Sprintf("margin, %d months, memory %.1f, skewed %v", n, rho, skewed)
				cover(t, label, 3000, 300, a, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
					num, den := margins(n, rho, skewed).draw(rnd, n)
					return 0.42, sure(stats.RatioInterval(num, den, 0.9))
				})
			}
		}
	}
	for _, g := range []generator{{"effective rate", 120, 25, 0.15, 25, 0.2, false}, {"utilization", 0.75, 0.08, 0.15, 0.08, 0.2, false}} {
		cover(t, g.name+", 24 months, memory 0.2", 3000, 300, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
			num, den := g.draw(rnd, 24)
			return g.ratio, sure(stats.RatioInterval(num, den, 0.9))
		})
	}
	cover(t, "expected profit of a year, 18 months, memory 0.3", 3000, 300, within3, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
		num, _ := margins(18, 0.3, false).draw(rnd, 18)
		m, err := stats.MonthlyMean(num, 0.9)
		return 12 * 42, sure(m.Times(12), err)
	})
}

func margins(n int, rho float64, skewed bool) generator {
	g := generator{name: "margin", ratio: 0.42, sigma: 0.12, season: 0.15, extra: 0.12, rho: rho, skewed: skewed}
	if n < 12 {
		g.season, g.extra = 0, 0
	}
	return g
}

// TestEvalRatioMethods measures the other methods on the same months: this is why
// RatioInterval is the one that is used.
func TestEvalRatioMethods(t *testing.T) {
	t.Parallel()
	for _, n := range []int{24, 36} {
		for _, rho := range []float64{0, 0.2, 0.4} {
			for _, skewed := range []bool{false, true} {
				about := fmt.Sprintf("%d months, memory %.1f, skewed %v", n, rho, skewed)
				measure := func(name string, draws, reduced int, a allowed, method func(num, den []float64, level float64) (stats.Interval, error)) {
					cover(t, name+", "+about, draws, reduced, a, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
						num, den := margins(n, rho, skewed).draw(rnd, n)
						return 0.42, func(level float64) (stats.Interval, error) { return method(num, den, level) }
					})
				}
				a, blocks := within3, allowed{5, 4}
				if skewed {
					a.short, blocks.short = 5, 7
				}
				if rho > 0.2 {
					a.short, blocks.short = a.short+3, blocks.short+1
				}
				measure("HAC", 2000, 200, a, func(num, den []float64, level float64) (stats.Interval, error) {
					s, err := stats.HACRatio(num, den, level)
					return s.Interval, err
				})
				if n < 36 {
					continue
				}
				measure("bootstrap", 800, 60, blocks, func(num, den []float64, level float64) (stats.Interval, error) {
					return stats.BootstrapRatio(num, den, level, stats.Resampling{Replicates: 199})
				})
			}
		}
	}
}

// TestEvalBootstrapMean measures the case that the studentized bootstrap is for: skewed
// values without a memory.
func TestEvalBootstrapMean(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8, 12, 24} {
		for _, skewed := range []bool{false, true} {
			cover(t, fmt.Sprintf("mean by bootstrap, n %d, skewed %v", n, skewed), 600, 80, allowed{6, 5}, func(rnd *rand.Rand) (float64, func(float64) (stats.Interval, error)) {
				x := shocks(rnd, n, skewed)
				return 0, func(level float64) (stats.Interval, error) {
					return stats.BootstrapMean(x, level, stats.Resampling{Replicates: 399, Block: 1, Seed: 5})
				}
			})
		}
	}
}

func TestHACQuantilesAreThoseOfFixedB(t *testing.T) {
	t.Parallel()
	// Kiefer & Vogelsang (2005), table 1, Bartlett: one-sided 95 % 1.6449 + 2.1859 b +
	// 0.3142 b² − 0.3427 b³, 97.5 % 1.9600 + 2.9694 b + 0.4160 b² − 0.5324 b³; measured here as
	// the share of white noise that the interval with n = 60 leaves out.
	rnd := rand.New(rand.NewPCG(11, 12))
	const n, runs = 60, 4000
	out := 0
	for range runs {
		h, err := stats.HAC(shocks(rnd, n, false), 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if h.Low > 0 || h.High < 0 {
			out++
		}
	}
	near(t, "share left out", float64(out)/runs, 0.1, 0.015)
	// The quantile over the plain standard error: sd/√n times it, for a series whose estimate
	// is what its variance says on average, is their 1.6449 + … at b = 11/60.
	b := 11.0 / 60
	want := 1.6449 + 2.1859*b + 0.3142*b*b - 0.3427*b*b*b
	near(t, "quantile", stats.FixedB(n, 0.9), want, 0.05)
}

func TestRatioBelowAgreesWithItsInterval(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(13, 14))
	for _, n := range []int{5, 12, 24} {
		num, den := margins(n, 0.2, false).draw(rnd, n)
		r, err := stats.RatioInterval(num, den, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "below low", r.Below(r.Low), 0.05, 1e-6)
		near(t, "below high", r.Below(r.High), 0.95, 1e-6)
	}
	r, err := stats.RatioInterval([]float64{4, 8, 2, 6, 10}, []float64{10, 20, 5, 15, 25}, 0.9)
	if err != nil || r.Below(0.39) > 1e-6 || r.Below(0.41) < 1-1e-6 {
		t.Errorf("a margin that never changes: got %+v, %v", r, err)
	}
}

func TestBootstrapRepeatsByItsSeed(t *testing.T) {
	t.Parallel()
	num, den := margins(36, 0.2, true).draw(rand.New(rand.NewPCG(1, 1)), 36)
	seed := stats.Seed("tenant", "gross_margin", "client 7", "snapshot 12")
	first, err := stats.BootstrapRatio(num, den, 0.9, stats.Resampling{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	again, err := stats.BootstrapRatio(num, den, 0.9, stats.Resampling{Seed: seed})
	if err != nil || again != first {
		t.Errorf("got %+v, then %+v", first, again)
	}
	if other, _ := stats.BootstrapRatio(num, den, 0.9, stats.Resampling{Seed: seed + 1}); other == first {
		t.Error("another seed gave the same interval")
	}
	if stats.Seed("ab", "c") == stats.Seed("a", "bc") {
		t.Error("two names have one seed")
	}
	if _, err := stats.BootstrapMean([]float64{1, 2, 3}, 0.9, stats.Resampling{Block: 1}); err == nil {
		t.Error("three values were bootstrapped")
	}
	if _, err := stats.BootstrapRatio(num[:24], den[:24], 0.9, stats.Resampling{}); err == nil {
		t.Error("24 months were bootstrapped")
	}
	if i, err := stats.BootstrapMean([]float64{2, 2, 2, 2, 2, 2}, 0.9, stats.Resampling{Block: 1}); err != nil || i.Low != 2 || i.High != 2 {
		t.Errorf("equal values: got %+v, %v", i, err)
	}
}

// The bootstrap of a client's margin must take less than 20 ms with 1,000 replicates.
func BenchmarkBootstrapRatio(b *testing.B) {
	num, den := margins(36, 0.2, true).draw(rand.New(rand.NewPCG(1, 1)), 36)
	for b.Loop() {
		if _, err := stats.BootstrapRatio(num, den, 0.9, stats.Resampling{Replicates: 1000}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRatioInterval(b *testing.B) {
	num, den := margins(24, 0.2, true).draw(rand.New(rand.NewPCG(1, 1)), 24)
	for b.Loop() {
		if _, err := stats.RatioInterval(num, den, 0.9); err != nil {
			b.Fatal(err)
		}
	}
}
