package stats_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestSTLAgreesWithR(t *testing.T) {
	t.Parallel()
	for _, name := range monthlyAndQuarterly {
		want := series[ofR](t, name)
		got, err := stats.STL(want.Y, stats.STLDefaults(want.Frequency, false))
		if err != nil {
			t.Fatal(err)
		}
		agree(t, name+" periodic season", got.Seasonal, want.STLPeriodic.Seasonal, 1e-11)
		agree(t, name+" periodic trend", got.Trend, want.STLPeriodic.Trend, 1e-11)
		o := stats.STLDefaults(want.Frequency, true)
		o.Seasonal = 7
		if got, err = stats.STL(want.Y, o); err != nil {
			t.Fatal(err)
		}
		// R asks its partial sort for the two middle ranks in falling order, which that does
		// not allow: with some even lengths it takes a value beside the median as the scale of
		// the residuals. The two series of 144 months show it (with that sort in place of the
		// median they agreed to 1e-11 too). statsmodels takes the median, as the paper and we
		// do; its values with R's settings stand in for R's there.
		robust, tolerance := want.STLRobust, 1e-11
		if len(want.Y) == 144 {
			robust, tolerance = series[parts](t, name+".robust"), 1e-10
			agree(t, name+" season near R's", got.Seasonal, want.STLRobust.Seasonal, 2e-2)
			agree(t, name+" trend near R's", got.Trend, want.STLRobust.Trend, 1e-3)
		}
		agree(t, name+" robust season", got.Seasonal, robust.Seasonal, tolerance)
		agree(t, name+" robust trend", got.Trend, robust.Trend, tolerance)
		agree(t, name+" weights", got.Weights, robust.Weights, 1e-9)
	}
}

func TestSTLAgreesWithStatsmodels(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AirPassengers.statsmodels", "UKgas.statsmodels"} {
		want := series[ofStatsmodels](t, name)
		o := stats.STLOptions{Period: want.Period, Seasonal: 7, SeasonalDegree: 1, TrendDegree: 1, LowPassDegree: 1, SeasonalJump: 1, TrendJump: 1, LowPassJump: 1, Inner: 5}
		got, err := stats.STL(want.Y, o)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, name+" season", got.Seasonal, want.STL.Seasonal, 1e-10)
		agree(t, name+" trend", got.Trend, want.STL.Trend, 1e-10)
		o.Inner, o.Outer = 2, 15
		if got, err = stats.STL(want.Y, o); err != nil {
			t.Fatal(err)
		}
		agree(t, name+" robust season", got.Seasonal, want.STLRobust.Seasonal, 1e-10)
		agree(t, name+" robust trend", got.Trend, want.STLRobust.Trend, 1e-10)
	}
}

func TestSTLAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		period := rapid.IntRange(2, 12).Draw(t, "period")
		y := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 2*period+1, 60).Draw(t, "y")
		o := stats.STLDefaults(period, rapid.Bool().Draw(t, "robust"))
		o.Seasonal = rapid.SampledFrom([]int{0, 3, 7, 35}).Draw(t, "span")
		c, err := stats.STL(y, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range y {
			if sum := c.Trend[i] + c.Seasonal[i] + c.Remainder[i]; !(math.Abs(sum-y[i]) <= 1e-6) || c.Weights[i] < 0 || c.Weights[i] > 1 {
				t.Fatalf("point %d: parts add up to %v, not %v; weight %v", i, sum, y[i], c.Weights[i])
			}
		}
	})
}

func TestSTLRefusesNonsense(t *testing.T) {
	t.Parallel()
	y := make([]float64, 24)
	if _, err := stats.STL(y, stats.STLDefaults(12, false)); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("two seasons: got %v, want ErrTooFew", err)
	}
	good := stats.STLDefaults(4, false)
	for name, change := range map[string]func(*stats.STLOptions){
		"a season of one step": func(o *stats.STLOptions) { o.Period = 1 },
		"an even span":         func(o *stats.STLOptions) { o.Seasonal = 8 },
		"a span of one":        func(o *stats.STLOptions) { o.Trend = 1 },
		"a parabola":           func(o *stats.STLOptions) { o.TrendDegree = 2 },
		"no pass":              func(o *stats.STLOptions) { o.Inner = 0 },
		"a jump backwards":     func(o *stats.STLOptions) { o.LowPassJump = -1 },
	} {
		o := good
		change(&o)
		if _, err := stats.STL(y, o); err == nil || errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDecomposeAgreesWithR(t *testing.T) {
	t.Parallel()
	for _, name := range monthlyAndQuarterly {
		ref := series[ofR](t, name)
		for shape, want := range map[stats.Shape]figure{stats.Additive: ref.Additive, stats.Multiplicative: ref.Multiplicative} {
			got, err := stats.Decompose(ref.Y, ref.Frequency, shape)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, name+" figure "+string(shape), got.Seasonal[:ref.Frequency], want.Figure, 1e-11)
			for i, v := range want.Trend {
				if v == nil != math.IsNaN(got.Trend[i]) || v != nil && math.Abs(got.Trend[i]-*v) > 1e-8 {
					t.Fatalf("%s: trend %d is %v", name, i, got.Trend[i])
				}
			}
		}
	}
	if _, err := stats.Decompose(make([]float64, 24), 12, stats.Multiplicative); err == nil {
		t.Error("a multiplicative season of zeros was accepted")
	}
	if _, err := stats.Decompose(make([]float64, 23), 12, stats.Additive); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("23 months: got %v, want ErrTooFew", err)
	}
	// An odd season: 3 steps, the middle one is 6 higher.
	c, err := stats.Decompose([]float64{0, 6, 0, 0, 6, 0, 0, 6, 0}, 3, stats.Additive)
	if err != nil || math.Abs(c.Seasonal[1]-4) > 1e-12 || c.Trend[1] != 2 {
		t.Errorf("got %+v, %v, want a season of 4 on a trend of 2", c, err)
	}
}

func TestAutocorrelationAgreesWithR(t *testing.T) {
	t.Parallel()
	for _, name := range append([]string{"Nile"}, monthlyAndQuarterly...) {
		want := series[ofR](t, name)
		acf, err := stats.Autocorrelation(want.Y, 36)
		if err != nil || acf[0] != 1 {
			t.Fatal(acf, err)
		}
		agree(t, name+" acf", acf[1:], want.ACF, 1e-12)
		pacf, err := stats.PartialAutocorrelation(want.Y, 36)
		if err != nil || pacf[0] != 1 {
			t.Fatal(pacf, err)
		}
		agree(t, name+" pacf", pacf[1:], want.PACF, 1e-11)
		statistic, p, err := stats.LjungBox(want.Y, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, name+" Ljung-Box", statistic, want.LjungBox.Stat, 1e-8)
		near(t, name+" p", p, want.LjungBox.P, 1e-15)
	}
	if _, err := stats.Autocorrelation([]float64{1, 1, 1, 1}, 1); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("equal values: got %v, want ErrTooFew", err)
	}
	if _, _, err := stats.LjungBox([]float64{1, 2, 1, 3}, 2, 2); err == nil {
		t.Error("no degree of freedom was accepted")
	}
}
