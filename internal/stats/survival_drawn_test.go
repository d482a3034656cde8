package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// The lengths of remission of Freireich et al. (1963), as in Kalbfleisch & Prentice (1980),
// 1.3: 21 patients with 6-MP, + still in remission, and 21 without.
var (
	treated = stats.Durations{
		Times:    []float64{6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35},
		Censored: []bool{false, false, false, true, false, true, false, true, true, false, false, true, true, true, false, false, true, true, true, true, true},
	}
	placebo = stats.Durations{
		Times:    []float64{1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23},
		Censored: make([]bool, 21),
	}
)

func TestSurvivalDrawnToNobodyIsKaplanMeier(t *testing.T) {
	t.Parallel()
	d, err := stats.DrawSurvival(treated, treated, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Published: 0.857 after 6, 0.807 after 7, 0.753 after 10, 0.690 after 13, 0.628 after 16, 0.538 after 22, 0.448 after 23.
	for at, want := range map[float64]float64{5: 1, 6: 0.857, 7: 0.807, 9: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448, 100: 0.448} {
		if got := d.After(at); math.Abs(got-want) > 0.0011 {
			t.Errorf("after %v: got %.4f, want %.3f", at, got, want)
		}
	}
	// Of those that last 10 weeks, 0.0625/0.753 end between 10 and 13.
	if got, want := d.Between(10, 10, 13), 1-0.6902/0.7529; math.Abs(got-want) > 0.001 {
		t.Errorf("between: got %v, want %v", got, want)
	}
}

func TestAGroupIsDrawnToAllTheMoreTheLessIsKnownOfIt(t *testing.T) {
	t.Parallel()
	all := stats.Durations{Times: append(append([]float64{}, treated.Times...), placebo.Times...), Censored: append(append([]bool{}, treated.Censored...), placebo.Censored...)}
	pooled, err := stats.DrawSurvival(stats.Durations{}, all, 3)
	if err != nil {
		t.Fatal(err)
	}
	own, err := stats.DrawSurvival(treated, all, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := own.After(15)
	for _, worth := range []float64{3, 30, 3000} {
		d, err := stats.DrawSurvival(treated, all, worth)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.After(15); got >= before || got <= pooled.After(15) {
			t.Errorf("worth %v: %v is not between %v and that of all, %v", worth, got, before, pooled.After(15))
		}
		before = d.After(15)
	}
	// By hand at the first time: 1 of 42 at risk ends at 1, twice: 2/42 of all, none of 21 own.
	d, _ := stats.DrawSurvival(treated, all, 3)
	if got, want := d.After(1), 1-3*(2.0/42)/(21+3); math.Abs(got-want) > 1e-12 {
		t.Errorf("after 1: got %v, want %v", got, want)
	}
	if _, err := stats.DrawSurvival(treated, stats.Durations{Times: []float64{1, 2, 3, 4}, Censored: make([]bool, 4)}, 3); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("four durations: %v", err)
	}
}
