package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestPredictionAgreesWithTextbooks(t *testing.T) {
	t.Parallel()
	// Montgomery & Runger, alloy adhesion: 22 specimens, mean 13.71, s 3.55; the next one
	// lies in 6.16 to 21.26 at 95 %.
	alloy := []float64{19.8, 10.1, 14.9, 7.5, 15.4, 15.4, 15.4, 18.5, 7.9, 12.7, 11.9, 11.4, 11.4, 14.1, 17.6, 16.7, 15.8, 19.5, 8.8, 13.6, 11.9, 11.4}
	i, err := stats.Prediction(alloy, 0.95)
	if err != nil || i.N != 22 || i.Level != 0.95 {
		t.Fatalf("got %+v, %v", i, err)
	}
	near(t, "mean", i.Estimate, 13.71, 0.006)
	near(t, "low", i.Low, 6.16, 0.006)
	near(t, "high", i.High, 21.26, 0.011) // the book rounds before it multiplies
	// Walpole, Myers, Myers & Ye, lean beef: n 30, mean 96.2, s 0.8 give 93.96 to 98.44 at 99 %.
	var beef []float64
	for range 15 {
		a := 0.8 * math.Sqrt(29.0/30)
		beef = append(beef, 96.2+a, 96.2-a)
	}
	if i, err = stats.Prediction(beef, 0.99); err != nil {
		t.Fatal(err)
	}
	near(t, "low", i.Low, 93.96, 0.006)
	near(t, "high", i.High, 98.44, 0.006)
}

func TestPredictionCoversAsOftenAsItSays(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(7, 11))
	for _, n := range []int{5, 12} {
		const runs = 20_000
		inside := 0
		for range runs {
			values := make([]float64, n)
			for i := range values {
				values[i] = 1000 + 50*draw.NormFloat64()
			}
			i, err := stats.Prediction(values, 0.90)
			if err != nil {
				t.Fatal(err)
			}
			if next := 1000 + 50*draw.NormFloat64(); i.Low <= next && next <= i.High {
				inside++
			}
		}
		near(t, "coverage", float64(inside)/runs, 0.90, 0.02)
	}
}

func TestPredictionOfEqualAndOfTooFewValues(t *testing.T) {
	t.Parallel()
	if i, err := stats.Prediction([]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 0.9); err != nil || i.Low != 0.1 || i.High != 0.1 {
		t.Errorf("equal values: %+v, %v", i, err)
	}
	for _, few := range [][]float64{nil, {1}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if _, err := stats.Prediction(few, 0.9); !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%v: got %v, want ErrTooFew", few, err)
		}
	}
	if _, err := stats.Prediction([]float64{1, 2}, 1); err == nil {
		t.Error("level 1 was accepted")
	}
}

// The quantiles of Student's t are those of the tables: t(0.95; 4) = 2.1318, t(0.975; 4) = 2.7764.
func TestExceedsAgreesWithTheTables(t *testing.T) {
	values := []float64{-1, -0.5, 0, 0.5, 1} // s = 0.790569, s·√1.2 = 0.866025
	for x, want := range map[float64]float64{2.131847 * 0.8660254: 0.05, 2.776445 * 0.8660254: 0.025, 0: 0.5, -2.131847 * 0.8660254: 0.95, 0.5: 0.29732} {
		if p, err := stats.Exceeds(values, x); err != nil || math.Abs(p-want) > 1e-5 {
			t.Errorf("above %v with %v (%v), want %v", x, p, err, want)
		}
	}
	i, err := stats.Prediction(values, 0.9)
	if p, _ := stats.Exceeds(values, i.High); err != nil || math.Abs(p-0.05) > 1e-12 {
		t.Errorf("above the end of the 90 %% interval with %v", p)
	}
	for x, want := range map[float64]float64{1.9: 1, 2: 0, 2.1: 0} {
		if p, err := stats.Exceeds([]float64{2, 2, 2}, x); err != nil || p != want {
			t.Errorf("equal values: above %v with %v, %v", x, p, err)
		}
	}
	for _, wrong := range [][]float64{nil, {1}, {1, math.NaN()}} {
		if _, err := stats.Exceeds(wrong, 0); !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestTheNextErrorOfARule(t *testing.T) {
	t.Parallel()
	e, err := stats.PastErrors([]float64{10, -10, 10, -10, 10, -10, 10}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	// Tables of Student's t with 7 degrees of freedom: 1.8946 at 0.95, and 0.90 at 1.4149.
	if math.Abs(e.Half-18.946) > 0.001 || math.Abs(e.Below(14.149)-0.9) > 1e-4 || math.Abs(e.Below(0)-0.5) > 1e-12 {
		t.Errorf("half %v, below 14.149 %v", e.Half, e.Below(14.149))
	}
	for name, errs := range map[string][]float64{"four": {1, 2, 3, 4}, "none off": {0, 0, 0, 0, 0}} {
		if _, err := stats.PastErrors(errs, 0.9); !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
