package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestTrendsAgreeWithPyMannKendall(t *testing.T) {
	t.Parallel()
	// pyMannKendall 1.4.3: original_test, hamed_rao_modification_test, seasonal_test.
	nile := series[ofR](t, "Nile").Y
	plain, err := stats.TheilSen(nile, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "slope", plain.Estimate, -2.6, 1e-12)
	near(t, "p", plain.P, 3.658262921657496e-05, 1e-15)
	corrected, err := stats.HamedRao(nile, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Hamed-Rao slope", corrected.Estimate, -2.6, 1e-12)
	near(t, "Hamed-Rao p", corrected.P, 0.004802676310182719, 1e-12)
	near(t, "Hamed-Rao half width", corrected.HalfWidth()/plain.HalfWidth(), math.Sqrt(241565.3569166269/112728.33333333333), 0.12) // order statistics lie unevenly
	deaths, err := stats.SeasonalKendall(series[ofR](t, "USAccDeaths").Y, 12, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "seasonal slope", deaths.Estimate, -109.83333333333334, 1e-9)
	near(t, "seasonal intercept", deaths.Intercept, 9053.423611111111, 1e-9)
	near(t, "seasonal p", deaths.P, 0.00787463904766672, 1e-12)
	air, err := stats.SeasonalKendall(series[ofR](t, "AirPassengers").Y, 12, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "seasonal slope", air.Estimate, 30.23611111111111, 1e-9)
	near(t, "seasonal intercept", air.Intercept, 85.3431712962963, 1e-9)
}

func TestTrendsRefuseNonsense(t *testing.T) {
	t.Parallel()
	if _, err := stats.TrendWithMemory(make([]float64, 7), 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("7 points: got %v, want ErrTooFew", err)
	}
	if _, err := stats.HamedRao(make([]float64, 5), 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("5 points: got %v, want ErrTooFew", err)
	}
	if _, err := stats.SeasonalKendall(make([]float64, 35), 12, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("35 months: got %v, want ErrTooFew", err)
	}
	if _, err := stats.SeasonalKendall(make([]float64, 36), 1, 0.9); err == nil {
		t.Error("a season of one step was accepted")
	}
	for _, f := range []func([]float64, float64) (stats.Trend, error){stats.HamedRao, stats.TrendWithMemory} {
		line := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
		if got, err := f(line, 0.9); err != nil || got.Estimate != 1 || got.Low != 1 || got.High != 1 || got.P > 0.01 {
			t.Errorf("a line: got %+v, %v", got, err)
		}
		if got, err := f(make([]float64, 10), 0.9); err != nil || got.Estimate != 0 || got.P != 1 {
			t.Errorf("zeros: got %+v, %v", got, err)
		}
		if _, err := f(line, 2); err == nil {
			t.Error("a level of 200 % was accepted")
		}
	}
}

func TestSeasonalTrendDoesNotSeeTheSeason(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.SliceOfN(rapid.IntRange(-1000, 1000), 12, 36).Draw(t, "y")
		season := rapid.SliceOfN(rapid.IntRange(-1000, 1000), 4, 4).Draw(t, "season")
		y, with := make([]float64, len(whole)), make([]float64, len(whole))
		for i, v := range whole {
			y[i], with[i] = float64(v), float64(v+season[i%4])
		}
		a, err := stats.SeasonalKendall(y, 4, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stats.SeasonalKendall(with, 4, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.Estimate-b.Estimate) > 1e-9 || math.Abs(a.Low-b.Low) > 1e-9 {
			t.Fatalf("the season made %v of the slope %v", b.Estimate, a.Estimate)
		}
	})
}

// trendScore is how often a test of 5 % finds a trend where there is none, and how often the
// 90 % interval holds the slope.
func trendScore(t *testing.T, r *rand.Rand, f func([]float64, float64) (stats.Trend, error), n int, rho float64, runs int) (wrong, covered float64) {
	t.Helper()
	for range runs {
		y := memory(r, n, rho)
		for i := range y {
			y[i] *= 10
		}
		got, err := f(y, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if got.P < 0.05 {
			wrong += 1 / float64(runs)
		}
		if got.Low <= 0 && 0 <= got.High {
			covered += 1 / float64(runs)
		}
	}
	return wrong, covered
}

func TestTrendWithMemoryHoldsItsLevel(t *testing.T) {
	t.Parallel()
	// Generator: first-order autoregression of coefficient 0.2 without trend, 24 and 48 points.
	r := rand.New(rand.NewPCG(31, 3))
	for _, n := range []int{24, 48} {
		wrong, covered := trendScore(t, r, stats.TrendWithMemory, n, 0.2, 1000)
		near(t, "false trends", wrong, 0.04, 0.025)
		near(t, "coverage", covered, 0.92, 0.035)
	}
}

// TestEvalTrends prints how the three trends hold their level.
func TestEvalTrends(t *testing.T) {
	full(t)
	r := rand.New(rand.NewPCG(30, 3))
	t.Log("points, memory: share of false trends at 5 % and coverage of 90 % of Theil-Sen, Hamed-Rao, with memory")
	for _, n := range []int{12, 24, 36, 48, 120} {
		for _, rho := range []float64{0, 0.2, 0.4, 0.6} {
			a, ac := trendScore(t, r, stats.TheilSen, n, rho, 1000)
			b, bc := trendScore(t, r, stats.HamedRao, n, rho, 1000)
			c, cc := trendScore(t, r, stats.TrendWithMemory, n, rho, 1000)
			t.Logf("%3d %.1f  %.3f %.3f  %.3f %.3f  %.3f %.3f", n, rho, a, ac, b, bc, c, cc)
			if rho <= 0.4 && (c > 0.08 || cc < 0.86) {
				t.Errorf("%d points, memory %.1f: %.3f false trends, coverage %.3f", n, rho, c, cc)
			}
		}
	}
}
