package stats_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestHoltWintersAgreesWithR(t *testing.T) {
	t.Parallel()
	for _, name := range monthlyAndQuarterly {
		ref := series[ofR](t, name)
		for _, c := range []struct {
			shape              stats.Shape
			alpha, beta, gamma float64
			want               holtWinters
		}{
			{stats.Additive, ref.HWAdditive.Alpha, ref.HWAdditive.Beta, ref.HWAdditive.Gamma, ref.HWAdditive},
			{stats.Multiplicative, ref.HWMultiplicative.Alpha, ref.HWMultiplicative.Beta, ref.HWMultiplicative.Gamma, ref.HWMultiplicative},
			{stats.Additive, 0.3, 0.1, 0.2, ref.HWFixed},
		} {
			start, err := stats.SmoothingStart(ref.Y, ref.Frequency, c.shape)
			if err != nil {
				t.Fatal(err)
			}
			got, err := stats.Smoothing{Alpha: c.alpha, Beta: c.beta, Gamma: c.gamma, Shape: c.shape, AfterLevel: true, State: start}.Smooth(ref.Y[ref.Frequency:])
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s %s", name, c.shape)
			// The optimized parameters are given with 13 digits, so the far end agrees to 1e-8.
			near(t, what+" SSE", got.SSE/c.want.SSE, 1, 1e-10)
			agree(t, what+" forecast", got.Forecast(12), c.want.Forecast, 1e-10)
			near(t, what+" level", got.End.Level, c.want.Coefficients["a"], 1e-7)
			near(t, what+" trend", got.End.Trend, c.want.Coefficients["b"], 1e-8)
			for i, s := range got.End.Season {
				near(t, what+" season", s, c.want.Coefficients[fmt.Sprintf("s%d", i+1)], 1e-7)
			}
			if c.want.Fitted != nil {
				agree(t, what+" fitted", got.Fitted, c.want.Fitted, 1e-11)
			}
		}
	}
}

func TestSmoothingAgreesWithStatsmodels(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AirPassengers.statsmodels", "UKgas.statsmodels"} {
		ref := series[ofStatsmodels](t, name)
		for what, c := range map[string]struct {
			shape stats.Shape
			want  smoothed
		}{
			"additive":       {stats.Additive, ref.HWAdditive},
			"multiplicative": {stats.Multiplicative, ref.HWMultiplicative},
			"damped":         {"", ref.Damped},
			"simple":         {"", ref.Simple},
		} {
			w := c.want
			s := stats.Smoothing{Alpha: w.Alpha, Beta: w.Beta, Gamma: w.Gamma, Phi: w.Phi, Shape: c.shape, State: stats.State{Level: w.L0, Trend: w.B0, Season: w.S0}}
			got, err := s.Smooth(ref.Y)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, name+" "+what+" fitted", got.Fitted, w.Fitted, 1e-11)
			if w.SSE > 0 {
				near(t, name+" "+what+" SSE", got.SSE/w.SSE, 1, 1e-11)
			}
			if w.Forecast12 != nil {
				forecast := got.Forecast(12)
				if m := len(w.S0); m > 0 {
					// statsmodels 0.13.5 forgets what the last value said of its season.
					before, err := s.Smooth(ref.Y[:len(ref.Y)-1])
					if err != nil {
						t.Fatal(err)
					}
					stale := got
					stale.End.Season = append(stale.End.Season[:m-1:m-1], before.End.Season[0])
					forecast = stale.Forecast(12)
				}
				agree(t, name+" "+what+" forecast", forecast, w.Forecast12, 1e-11)
			} else {
				near(t, name+" "+what+" forecast", got.Forecast(1)[0], w.Forecast1, 1e-8)
			}
		}
	}
}

func TestSmoothingRefusesNonsense(t *testing.T) {
	t.Parallel()
	y := []float64{1, 2, 3}
	for name, s := range map[string]stats.Smoothing{
		"a weight above 1":       {Alpha: 1.5},
		"a weight of NaN":        {Alpha: math.NaN()},
		"a growing trend":        {Phi: 1.1},
		"a shape without season": {Shape: stats.Additive},
		"a season without shape": {State: stats.State{Season: []float64{1, 2}}},
		"a start of NaN":         {State: stats.State{Level: math.NaN()}},
		"a factor of 0":          {Shape: stats.Multiplicative, Alpha: 0.5, State: stats.State{Season: []float64{0, 0}}},
	} {
		if _, err := s.Smooth(y); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := (stats.Smoothing{Alpha: 0.5}).Smooth(nil); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("no values: got %v, want ErrTooFew", err)
	}
	if _, err := stats.SmoothingStart(make([]float64, 23), 12, stats.Additive); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("a start of 23 months: got %v, want ErrTooFew", err)
	}
	// The caller's season is left as it was.
	season := []float64{1, -1}
	if _, err := (stats.Smoothing{Gamma: 0.5, Shape: stats.Additive, State: stats.State{Season: season}}).Smooth(y); err != nil || season[0] != 1 || season[1] != -1 {
		t.Errorf("the season became %v, %v", season, err)
	}
}

func TestSeasonalNaiveAgreesWithR(t *testing.T) {
	t.Parallel()
	check := func(name string, y []float64, period int, want naive) {
		got, err := stats.SeasonalNaive(y, period, len(want.Mean), 0.8)
		if err != nil {
			t.Fatal(err)
		}
		// R takes the normal quantile, we Student's.
		ratio := distuv.UnitNormal.Quantile(0.9) / distuv.StudentsT{Sigma: 1, Nu: float64(len(y) - period)}.Quantile(0.9)
		for i, g := range got {
			near(t, name+" forecast", g.Estimate, want.Mean[i], 1e-9)
			near(t, name+" half width", g.HalfWidth()*ratio/((want.Hi80[i]-want.Lo80[i])/2), 1, 1e-10)
		}
	}
	for _, name := range monthlyAndQuarterly {
		ref := series[ofR](t, name)
		check(name, ref.Y, ref.Frequency, ref.SNaive)
		check(name+" last value", ref.Y, 1, ref.Naive)
	}
	if _, err := stats.SeasonalNaive(make([]float64, 17), 12, 1, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("17 months: got %v, want ErrTooFew", err)
	}
}

func TestSeasonalNaiveCoversAsOftenAsItSays(t *testing.T) {
	t.Parallel()
	// Generator: a fixed season of 12 plus white noise; the next month of 24 and of 36.
	draw := rand.New(rand.NewPCG(17, 4))
	for _, n := range []int{24, 36} {
		const runs = 4000
		inside := 0
		for range runs {
			y := make([]float64, n+1)
			for i := range y {
				y[i] = 100 + 20*math.Sin(2*math.Pi*float64(i)/12) + 5*draw.NormFloat64()
			}
			f, err := stats.SeasonalNaive(y[:n], 12, 1, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			if f[0].Low <= y[n] && y[n] <= f[0].High {
				inside++
			}
		}
		near(t, fmt.Sprintf("coverage with %d months", n), float64(inside)/runs, 0.90, 0.025)
	}
}
