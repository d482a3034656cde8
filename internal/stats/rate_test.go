package stats_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func months12(counts ...int) ([]int, []float64) {
	exposure := make([]float64, len(counts))
	for i := range exposure {
		exposure[i] = 50
	}
	return counts, exposure
}

func TestCountRateSeesClusters(t *testing.T) {
	t.Parallel()
	even, exposure := months12(9, 11, 10, 8, 12, 10, 9, 11, 10, 12, 8, 10)
	poisson, err := stats.CountRate(even, exposure, 0.9)
	if err != nil || !strings.HasPrefix(poisson.Method, "Poisson") {
		t.Fatalf("even counts: got %+v, %v", poisson, err)
	}
	near(t, "rate", poisson.Estimate, 120.0/600, 1e-12)
	// Jeffreys' interval of 120 events is near 120 ± 1.645 √120, a little to the right.
	near(t, "low", poisson.Low*600, 120-1.645*math.Sqrt(120), 1.5)
	near(t, "high", poisson.High*600, 120+1.645*math.Sqrt(120), 1.5)

	clustered, exposure := months12(0, 31, 2, 1, 28, 3, 0, 2, 27, 1, 0, 25)
	wide, err := stats.CountRate(clustered, exposure, 0.9)
	if err != nil || !strings.HasPrefix(wide.Method, "negative binomial") {
		t.Fatalf("clusters: got %+v, %v", wide, err)
	}
	near(t, "rate", wide.Estimate, poisson.Estimate, 1e-12)
	// By hand: s² = 1918/11, se of the log √(12 × 174.36)/120 = 0.3812, t(11) = 1.7959.
	near(t, "low", wide.Low, 0.2*math.Exp(-1.7959*0.3812), 0.0001)
	near(t, "high", wide.High, 0.2*math.Exp(1.7959*0.3812), 0.0001)
}

func TestCountRateWithoutEventsAndOfTooFew(t *testing.T) {
	t.Parallel()
	none, exposure := months12(0, 0, 0, 0, 0, 0)
	i, err := stats.CountRate(none, exposure, 0.9)
	if err != nil || i.Low != 0 {
		t.Fatalf("got %+v, %v", i, err)
	}
	near(t, "high", i.High*300, -math.Log(0.05), 1e-6) // the rule of three at 95 % one-sided
	for name, bad := range map[string]struct {
		counts   []int
		exposure []float64
	}{
		"four months":     {[]int{1, 2, 3, 4}, []float64{1, 1, 1, 1}},
		"no exposure":     {[]int{1, 2, 3, 4, 5}, []float64{1, 1, 0, 1, 1}},
		"negative count":  {[]int{1, 2, -3, 4, 5}, []float64{1, 1, 1, 1, 1}},
		"exposure of NaN": {[]int{1, 2, 3, 4, 5}, []float64{1, 1, math.NaN(), 1, 1}},
	} {
		if _, err := stats.CountRate(bad.counts, bad.exposure, 0.9); !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%s: got %v, want ErrTooFew", name, err)
		}
	}
	if _, err := stats.RateRatio(3, 1, 0, 1, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("ratio over no event: got %v", err)
	}
}

func TestQuantileIntervalNeedsBothEnds(t *testing.T) {
	t.Parallel()
	x := make([]float64, 29)
	for i := range x {
		x[i] = float64(i)
	}
	// 0.9^29 is 0.047, below the 0.05 that 90 % leaves on a side; 0.9^28 is 0.052.
	if i, err := stats.QuantileInterval(x, 0.9, 0.9); err != nil || i.Low >= i.Estimate || i.High > 28 {
		t.Errorf("29 values: got %+v, %v", i, err)
	}
	if _, err := stats.QuantileInterval(x[:28], 0.9, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("28 values: got %v, want ErrTooFew", err)
	}
	if _, err := stats.QuantileInterval(x, 1, 0.9); err == nil {
		t.Error("the maximum has an interval")
	}
	if _, err := stats.QuantileOfType(x, 0.5, 10); err == nil {
		t.Error("there is a tenth type")
	}
}
