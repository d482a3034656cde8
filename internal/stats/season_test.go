package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestStrengthAgreesWithR(t *testing.T) {
	t.Parallel()
	for _, name := range monthlyAndQuarterly {
		ref := series[ofR](t, name)
		o := stats.STLDefaults(ref.Frequency, false)
		o.Seasonal = 13 // the span with which forecast 8.20 makes seasonal_strength
		c, err := stats.STL(ref.Y, o)
		if err != nil {
			t.Fatal(err)
		}
		trend, season := c.Strength()
		near(t, name+" season", season, ref.SeasonalStrength, 1e-11)
		if trend < 0.7 || trend > 1 {
			t.Errorf("%s: a trend of strength %.3f", name, trend)
		}
	}
	if trend, season := (stats.Components{Trend: []float64{1, 1}, Seasonal: []float64{0, 0}, Remainder: []float64{0, 0}}).Strength(); trend != 0 || season != 0 {
		t.Errorf("a constant has strengths %v and %v", trend, season)
	}
}

func TestSeasonTestsAgreeWithSciPy(t *testing.T) {
	t.Parallel()
	// H: scipy.stats.kruskal of the values less the seasonal Kendall slope; QS from its
	// formula in numpy.
	for name, want := range map[string]struct{ h, qs float64 }{
		"AirPassengers": {109.67931034482763, 194.4692892087745},
		"USAccDeaths":   {56.04870624048709, 74.47421127480267},
		"UKgas":         {65.34900139691177, 176.51442814836292},
	} {
		ref := series[ofR](t, name)
		h, p, err := stats.SeasonKruskalWallis(ref.Y, ref.Frequency)
		if err != nil || p > 1e-6 {
			t.Errorf("%s: p %v, %v", name, p, err)
		}
		near(t, name+" H", h, want.h, 1e-9)
		qs, p, err := stats.SeasonQS(ref.Y, ref.Frequency)
		if err != nil || p > 1e-6 {
			t.Errorf("%s: p %v, %v", name, p, err)
		}
		near(t, name+" QS", qs, want.qs, 1e-9)
	}
}

func TestSeasonTestsRefuseNonsense(t *testing.T) {
	t.Parallel()
	if _, _, err := stats.SeasonKruskalWallis(make([]float64, 23), 12); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("23 months: got %v, want ErrTooFew", err)
	}
	if _, _, err := stats.SeasonQS(make([]float64, 35), 12); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("35 months: got %v, want ErrTooFew", err)
	}
	if _, _, err := stats.SeasonQS(make([]float64, 35), 1); err == nil {
		t.Error("a season of one step was accepted")
	}
	for _, f := range []func([]float64, int) (float64, float64, error){stats.SeasonKruskalWallis, stats.SeasonQS} {
		if statistic, p, err := f(make([]float64, 36), 12); statistic != 0 || p != 1 || err != nil {
			t.Errorf("zeros: got %v, %v, %v", statistic, p, err)
		}
	}
}

// seasonScore is how often the tests at 5 % see a season: on a trend with noise of some
// memory, and with a yearly wave of a size of so many of its standard deviations.
func seasonScore(t *testing.T, r *rand.Rand, n int, rho, wave float64, runs int) (kw, qs float64) {
	t.Helper()
	for range runs {
		y := memory(r, n, rho)
		phase := 2 * math.Pi * r.Float64()
		for i := range y {
			y[i] += 0.1*float64(i) + wave*math.Sin(2*math.Pi*float64(i)/12+phase)
		}
		if _, p, err := stats.SeasonKruskalWallis(y, 12); err != nil {
			t.Fatal(err)
		} else if p < 0.05 {
			kw += 1 / float64(runs)
		}
		if n < 36 {
			continue
		}
		if _, p, err := stats.SeasonQS(y, 12); err != nil {
			t.Fatal(err)
		} else if p < 0.05 {
			qs += 1 / float64(runs)
		}
	}
	return kw, qs
}

func TestSeasonTestsHoldTheirLevelAndSeeAWave(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 2))
	kw, qs := seasonScore(t, r, 48, 0.2, 0, 600)
	if kw > 0.08 || qs > 0.08 || kw == 0 {
		t.Errorf("without a season: %.3f and %.3f at 5 %%", kw, qs)
	}
	// QS sees less: the differences of a smooth wave are small against those of the noise.
	kw, _ = seasonScore(t, r, 48, 0.2, 1.5, 200)
	if _, qs = seasonScore(t, r, 48, 0.2, 3, 200); kw < 0.9 || qs < 0.5 {
		t.Errorf("with a wave: found %.2f and %.2f", kw, qs)
	}
}

// TestEvalSeasons prints the table.
func TestEvalSeasons(t *testing.T) {
	full(t)
	r := rand.New(rand.NewPCG(22, 2))
	t.Log("months, memory: share seen at 5 % by Kruskal-Wallis and QS without a season; with a wave of 1 standard deviation")
	for _, n := range []int{24, 36, 48, 72} {
		for _, rho := range []float64{0, 0.2, 0.5} {
			a, b := seasonScore(t, r, n, rho, 0, 1000)
			c, d := seasonScore(t, r, n, rho, 1, 1000)
			t.Logf("%d %.1f  %.3f %.3f  %.2f %.2f", n, rho, a, b, c, d)
			if rho <= 0.2 && (a > 0.075 || b > 0.075) {
				t.Errorf("%d months, memory %.1f: %.3f and %.3f without a season", n, rho, a, b)
			}
		}
	}
}
