package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestTheNileFellIn1899(t *testing.T) {
	t.Parallel()
	// Cobb (1978), Biometrika 65: the flow fell between 1898 and 1899, from a mean of 1,097.75
	// to 849.97; Zeileis et al. (2003), CSDA 44, bound the last year of the old level by 1895
	// and 1902 at 95 %.
	changes, err := stats.ChangePoints(series[ofR](t, "Nile").Y, 0.95)
	if err != nil || len(changes) != 1 {
		t.Fatalf("got %+v, %v, want one change", changes, err)
	}
	c := changes[0]
	if year := 1871 + c.At; year != 1899 {
		t.Errorf("got %d, want 1899", year)
	}
	near(t, "before", c.Before, 1097.75, 10)
	near(t, "after", c.After, 849.97, 10)
	if first, last := 1871+c.First, 1871+c.Last; first < 1894 || first > 1898 || last < 1900 || last > 1904 {
		t.Errorf("between %d and %d, want about 1896 to 1903", first, last)
	}
}

// memory draws n values of noise of variance 1 that remember the one before.
func memory(r *rand.Rand, n int, rho float64) []float64 {
	y := make([]float64, n)
	e := r.NormFloat64()
	for i := range y {
		y[i] = e
		e = rho*e + r.NormFloat64()*math.Sqrt(1-rho*rho)
	}
	return y
}

func TestAnOutlierIsNoChangeAndAShiftIs(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	outliers, shifts := 0, 0
	const runs = 200
	for range runs {
		y := memory(r, 36, 0)
		y[18] += 12
		changes, err := stats.ChangePoints(y, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) > 0 {
			outliers++
		}
		y = memory(r, 36, 0)
		for i := 18; i < 36; i++ {
			y[i] += 4
		}
		if changes, err = stats.ChangePoints(y, 0.9); err != nil {
			t.Fatal(err)
		}
		if len(changes) == 1 && changes[0].At >= 17 && changes[0].At <= 19 {
			shifts++
		}
	}
	if outliers > runs/20 || shifts < runs*9/10 {
		t.Errorf("of %d, %d outliers became changes and %d shifts were found", runs, outliers, shifts)
	}
}

func TestChangePointsOfStillSeries(t *testing.T) {
	t.Parallel()
	seats := make([]float64, 24)
	for i := range seats {
		if seats[i] = 25; i >= 10 {
			seats[i] = 31
		}
	}
	changes, err := stats.ChangePoints(seats, 0.9)
	if err != nil || len(changes) != 1 || changes[0].At != 10 || changes[0].First != 10 || changes[0].Last != 10 || changes[0].Before != 25 || changes[0].After != 31 {
		t.Errorf("got %+v, %v, want 25 to 31 at 10 for sure", changes, err)
	}
	if changes, err := stats.ChangePoints(make([]float64, 24), 0.9); err != nil || changes != nil {
		t.Errorf("zeros: got %+v, %v", changes, err)
	}
	if _, err := stats.ChangePoints(make([]float64, 11), 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("11 points: got %v, want ErrTooFew", err)
	}
	if _, err := stats.ChangePoints(make([]float64, 1001), 0.9); err == nil {
		t.Error("1,001 points were accepted")
	}
}

func TestChangesLieInTheirBoundsAndApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 12, 60).Draw(t, "y")
		changes, err := stats.ChangePoints(y, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for _, c := range changes {
			if c.At-last < 3 || c.First > c.At || c.Last < c.At || c.First < 1 || c.Last >= len(y) {
				t.Fatalf("got %+v after %d", c, last)
			}
			last = c.At
		}
		if len(y)-last < 3 {
			t.Fatalf("the last level starts at %d of %d", last, len(y))
		}
	})
}

// changeScore is the share of series without a change that got one, the share of series with
// a shift of 2.5 standard deviations in the middle half that got just one, and of those the
// share that holds its date within the bounds.
func changeScore(t *testing.T, r *rand.Rand, n int, rho float64, runs int) (wrong, found, covered float64) {
	t.Helper()
	for range runs {
		y := memory(r, n, rho)
		changes, err := stats.ChangePoints(y, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) > 0 {
			wrong += 1 / float64(runs)
		}
		y = memory(r, n, rho)
		at := n/4 + r.IntN(n/2)
		for i := at; i < n; i++ {
			y[i] += 2.5
		}
		if changes, err = stats.ChangePoints(y, 0.9); err != nil {
			t.Fatal(err)
		}
		if len(changes) == 1 {
			found += 1 / float64(runs)
			if changes[0].First <= at && at <= changes[0].Last {
				covered += 1 / float64(runs)
			}
		}
	}
	return wrong, found, covered / found
}

func TestChangesHoldTheirLevel(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(51, 5))
	wrong, found, covered := changeScore(t, r, 36, 0.2, 300)
	if wrong > 0.05 || found < 0.8 || covered < 0.9 {
		t.Errorf("%.3f without a change, found %.2f, dates held %.2f of 0.90", wrong, found, covered)
	}
}

// TestEvalChanges prints the table.
func TestEvalChanges(t *testing.T) {
	full(t)
	r := rand.New(rand.NewPCG(52, 5))
	t.Log("points, memory: share of false changes; of shifts of 2.5 sigma found; of their dates within 90 % bounds")
	for _, n := range []int{12, 24, 36, 48, 120} {
		for _, rho := range []float64{0, 0.2, 0.5} {
			wrong, found, covered := changeScore(t, r, n, rho, 500)
			t.Logf("%3d %.1f  %.3f  %.2f  %.3f", n, rho, wrong, found, covered)
			if rho <= 0.2 && (wrong > 0.06 || covered < 0.87) {
				t.Errorf("%d points, memory %.1f: %.3f false, dates held %.3f", n, rho, wrong, covered)
			}
		}
	}
}
