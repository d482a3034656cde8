package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// thrombolysis is the example of Benjamini & Hochberg (1995), section 4.1: 15 p-values.
var thrombolysis = []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0}

func TestFalseDiscoveryOfThePaper(t *testing.T) {
	t.Parallel()
	count := func(adjusted []float64, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		k := 0
		for _, p := range adjusted {
			if p <= 0.05 {
				k++
			}
		}
		return k
	}
	// The paper rejects 4 at 0.05 and 3 when no error at all may be made.
	if got := count(stats.BenjaminiHochberg(thrombolysis)); got != 4 {
		t.Errorf("Benjamini-Hochberg: got %d finds, want 4", got)
	}
	if got := count(stats.Holm(thrombolysis)); got != 3 {
		t.Errorf("Holm: got %d finds, want 3", got)
	}
	// By hand: 15/4 x 0.0095 = 0.035625, times 1 + 1/2 + … + 1/15 = 3.318229; 12 x 0.0095 = 0.114.
	bh, _ := stats.BenjaminiHochberg(thrombolysis)
	near(t, "BH of the 4th", bh[3], 0.035625, 1e-12)
	by, _ := stats.BenjaminiYekutieli(thrombolysis)
	near(t, "BY of the 4th", by[3], 0.035625*3.3182289932289932, 1e-12)
	holm, _ := stats.Holm(thrombolysis)
	near(t, "Holm of the 4th", holm[3], 0.114, 1e-12)
}

func TestAdjustedValuesKeepTheirOrderAndNeverFall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 30).Draw(t, "p")
		for _, adjust := range []func([]float64) ([]float64, error){stats.BenjaminiHochberg, stats.BenjaminiYekutieli, stats.Holm} {
			a, err := adjust(p)
			if err != nil || len(a) != len(p) {
				t.Fatalf("got %v, %v", a, err)
			}
			for i := range p {
				if a[i] < p[i] || a[i] > 1 {
					t.Fatalf("p %v became %v", p[i], a[i])
				}
				for j := range p {
					if p[i] < p[j] && a[i] > a[j] {
						t.Fatalf("%v and %v became %v and %v", p[i], p[j], a[i], a[j])
					}
				}
			}
		}
	})
	for _, bad := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := stats.BenjaminiHochberg([]float64{0.5, bad}); err == nil {
			t.Errorf("p of %v was accepted", bad)
		}
	}
}

func TestFalseDiscoveryRateIsHeld(t *testing.T) {
	t.Parallel()
	// 200 tests, 40 of them with a true shift of 3: the rate must be 0.10 x 160/200 = 0.08.
	draw := rand.New(rand.NewPCG(3, 5))
	rates := make([]float64, 600)
	for run := range rates {
		p := make([]float64, 200)
		for i := range p {
			z := draw.NormFloat64()
			if i < 40 {
				z += 3
			}
			p[i] = math.Erfc(math.Abs(z) / math.Sqrt2)
		}
		a, err := stats.BenjaminiHochberg(p)
		if err != nil {
			t.Fatal(err)
		}
		found, wrong := 0.0, 0.0
		for i, v := range a {
			if v <= 0.10 {
				found++
				if i >= 40 {
					wrong++
				}
			}
		}
		rates[run] = wrong / max(1, found)
	}
	mean := 0.0
	for _, r := range rates {
		mean += r / float64(len(rates))
	}
	near(t, "false discovery rate", mean, 0.08, 0.008)
	if slices.Max(rates) == 0 {
		t.Error("no false find in any run: the simulation says nothing")
	}
}
