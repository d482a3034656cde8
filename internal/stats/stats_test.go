package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.6f, want %.6f", what, got, want)
	}
}

func dec(s string) quantity.Decimal { return decimal.RequireFromString(s) }

func TestShapleyOfTheLaborBridge(t *testing.T) {
	t.Parallel()
	// domain reference 7.2: 100 h x 50 -> 130 h x 54 is +2,020 = hours 1,560 + rate 460.
	hours, rate := []string{"100", "130"}, []string{"50", "54"}
	parts, err := stats.ShapleyDecimal(2, func(m uint) (quantity.Decimal, bool) { return dec(hours[m&1]).Mul(dec(rate[m>>1&1])), true })
	if err != nil || !parts[0].Equal(dec("1560")) || !parts[1].Equal(dec("460")) {
		t.Errorf("got %v %v, want 1560 and 460", parts, err)
	}
}

func TestShapleyRefusesAnUndefinedMixture(t *testing.T) {
	t.Parallel()
	_, err := stats.ShapleyDecimal(2, func(m uint) (quantity.Decimal, bool) { return dec("1"), m != 2 })
	if !errors.Is(err, stats.ErrUndefined) {
		t.Errorf("got %v, want ErrUndefined", err)
	}
	if _, err := stats.ShapleyDecimal(13, nil); err == nil {
		t.Error("13 factors were accepted")
	}
}

// game draws a random game of n factors as a table of values.
func game(t *rapid.T, n int) []quantity.Decimal {
	values := make([]quantity.Decimal, 1<<n)
	for i := range values {
		values[i] = decimal.New(rapid.Int64Range(-1e9, 1e9).Draw(t, "value"), -4)
	}
	return values
}

func shapley(t *rapid.T, n int, values []quantity.Decimal) []quantity.Decimal {
	parts, err := stats.ShapleyDecimal(n, func(m uint) (quantity.Decimal, bool) { return values[m], true })
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// bruteForce averages the marginal effects over all orders, the definition itself.
func bruteForce(n int, values []quantity.Decimal) []quantity.Decimal {
	sums, orders := make([]quantity.Decimal, n), int64(0)
	var walk func(mask uint, path []int)
	walk = func(mask uint, path []int) {
		if len(path) == n {
			orders++
			m := uint(0)
			for _, i := range path {
				sums[i] = sums[i].Add(values[m|1<<i].Sub(values[m]))
				m |= 1 << i
			}
			return
		}
		for i := range n {
			if mask&(1<<i) == 0 {
				walk(mask|1<<i, append(append([]int{}, path...), i))
			}
		}
	}
	walk(0, nil)
	for i := range sums {
		sums[i] = sums[i].DivRound(decimal.NewFromInt(orders), 18)
	}
	return sums
}

func TestShapleyLaws(t *testing.T) {
	t.Parallel()
	tiny := dec("0.000000000000001")
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		a := game(t, n)
		parts := shapley(t, n, a)
		var sum quantity.Decimal
		for _, p := range parts {
			sum = sum.Add(p)
		}
		if change := a[len(a)-1].Sub(a[0]); !sum.Equal(change) {
			t.Fatalf("efficiency: parts add up to %s, the change is %s", sum, change)
		}
		for i, want := range bruteForce(n, a) {
			if parts[i].Sub(want).Abs().GreaterThan(tiny) {
				t.Fatalf("factor %d: got %s, all orders give %s", i, parts[i], want)
			}
		}
		// Additivity: the parts of a sum of games are the sums of the parts.
		b := game(t, n)
		both := make([]quantity.Decimal, len(a))
		for i := range a {
			both[i] = a[i].Add(b[i])
		}
		pb, pab := shapley(t, n, b), shapley(t, n, both)
		for i := range parts {
			if pab[i].Sub(parts[i].Add(pb[i])).Abs().GreaterThan(tiny) {
				t.Fatalf("additivity of factor %d: %s is not %s + %s", i, pab[i], parts[i], pb[i])
			}
		}
		// Null player: a factor that changes nothing gets nothing.
		null := rapid.IntRange(0, n-1).Draw(t, "null")
		for m := range a {
			a[m|1<<null] = a[m&^(1<<null)]
		}
		if p := shapley(t, n, a)[null]; p.Abs().GreaterThan(tiny) {
			t.Fatalf("a factor without effect got %s", p)
		}
		// Symmetry: two factors that are alike get the same.
		if n >= 2 {
			for m := range a {
				if m&1 != 0 && m&2 == 0 {
					a[m^3] = a[m]
				}
			}
			p := shapley(t, n, a)
			if p[0].Sub(p[1]).Abs().GreaterThan(tiny) {
				t.Fatalf("two like factors got %s and %s", p[0], p[1])
			}
		}
	})
}

func TestWilsonGoldenVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{9, 10, 0.596, 0.982}, {90, 100, 0.826, 0.945}, {3, 3, 0.439, 1}} { // domain reference 7.2
		i, err := stats.Wilson(c.k, c.n, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "low", i.Low, c.low, 0.0005)
		near(t, "high", i.High, c.high, 0.0005)
	}
}

func TestPoissonRateOfTenEvents(t *testing.T) {
	t.Parallel()
	i, err := stats.PoissonRate(10, 1, 0.95) // Garwood's table: 4.795 to 18.39
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low", i.Low, 4.7954, 0.0005)
	near(t, "high", i.High, 18.3904, 0.0005)
}

func TestConcentrationGoldenVector(t *testing.T) {
	t.Parallel()
	index, effective := stats.HHI([]float64{40, 25, 15, 10, 10})
	near(t, "index", index, 0.265, 1e-12)
	near(t, "effective", effective, 3.7736, 0.0001)
}

func TestTheilSenStepsByCalendar(t *testing.T) {
	t.Parallel()
	// Missing months steepen a trend by row index; by calendar step months 1, 2, 3 and 12 at
	// 100, 110, 120, 210 rise by 10 each (domain reference 7.1).
	y := []float64{100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210}
	trend, err := stats.TheilSen(y, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "slope", trend.Estimate, 10, 1e-12)
	// Fewer than six points say nothing.
	if _, err := stats.TheilSen([]float64{10, 15, 14, 20}, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("4 points: got %v, want ErrTooFew", err)
	}
	flat, err := stats.TheilSen([]float64{5, 5, 5, 5, 5, 5}, 0.9)
	if err != nil || flat.Low != 0 || flat.High != 0 || flat.P != 1 {
		t.Errorf("a flat series: got %+v %v", flat, err)
	}
}

func TestTrendIntervalHoldsTheSlope(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 6, 36).Draw(t, "y")
		trend, err := stats.TheilSen(y, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if trend.Low > trend.Estimate || trend.Estimate > trend.High || trend.P < 0 || trend.P > 1 {
			t.Fatalf("got %+v", trend)
		}
	})
}

func TestConfidenceNeverRisesWhenSomethingIsTakenAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "dimensions")
		in := stats.ConfidenceInput{RelativeHalfWidth: rapid.Float64Range(0, 1.5).Draw(t, "h")}
		for range n {
			in.Quality = append(in.Quality, stats.Quality{Score: rapid.Float64Range(0, 1).Draw(t, "q"), Weight: rapid.Float64Range(0.1, 3).Draw(t, "w")})
		}
		before := stats.Judge(in)
		worse := stats.ConfidenceInput{RelativeHalfWidth: in.RelativeHalfWidth + rapid.Float64Range(0, 1).Draw(t, "wider"), Quality: append([]stats.Quality{}, in.Quality...)}
		i := rapid.IntRange(0, n-1).Draw(t, "which")
		worse.Quality[i].Score *= rapid.Float64Range(0, 1).Draw(t, "loss")
		if rapid.Bool().Draw(t, "capped") {
			worse.Caps = append(worse.Caps, stats.Cap{Grade: rapid.SampledFrom([]stats.Grade{stats.Medium, stats.Low, stats.NoAnswer}).Draw(t, "cap"), Reason: "a gap"})
		}
		after := stats.Judge(worse)
		if after.Score > before.Score+1e-12 {
			t.Fatalf("the score rose from %v to %v", before, after)
		}
	})
}

func TestConfidenceGrades(t *testing.T) {
	t.Parallel()
	full := []stats.Quality{{Name: "completeness", Score: 1}, {Name: "coverage", Score: 0.98}}
	for _, c := range []struct {
		name  string
		in    stats.ConfidenceInput
		grade stats.Grade
		most  float64
	}{
		{"full data, narrow interval", stats.ConfidenceInput{Quality: full, RelativeHalfWidth: 0.05}, stats.High, 1},
		{"wider interval", stats.ConfidenceInput{Quality: full, RelativeHalfWidth: 0.2}, stats.Medium, 0.89},
		{"wide interval", stats.ConfidenceInput{Quality: full, RelativeHalfWidth: 0.4}, stats.Low, 0.69},
		{"poor data", stats.ConfidenceInput{Quality: []stats.Quality{{Score: 0.5}}, RelativeHalfWidth: 0.01}, stats.Low, 0.69},
		{"partial period", stats.ConfidenceInput{Quality: full, Caps: []stats.Cap{{Grade: stats.Medium, Reason: "partial period"}}}, stats.Medium, 0.89},
		{"no cost rates", stats.ConfidenceInput{Quality: full, Caps: []stats.Cap{{Grade: stats.NoAnswer, Reason: "no cost rates"}}}, stats.NoAnswer, 0},
		{"no interval", stats.ConfidenceInput{Quality: full, RelativeHalfWidth: math.NaN()}, stats.Low, 0},
	} {
		if got := stats.Judge(c.in); got.Grade != c.grade || got.Score > c.most {
			t.Errorf("%s: got %s %.2f, want %s and at most %.2f", c.name, got.Grade, got.Score, c.grade, c.most)
		}
	}
}

func TestMedianIntervalOfTenValues(t *testing.T) {
	t.Parallel()
	// n = 10: the 2nd and 9th values hold the median with 97.9 %, the 3rd and 8th with 89.1 %
	// (binomial tables); 95 % lies between, by the weight of Hettmansperger & Sheather.
	i, err := stats.MedianInterval([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.95)
	if err != nil || i.Estimate != 5.5 {
		t.Fatalf("got %+v %v", i, err)
	}
	near(t, "low", i.Low, 2.657, 0.001)
	near(t, "high", i.High, 11-2.657, 0.001)
	i, err = stats.MedianInterval([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 1-2*11.0/1024)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low at the 2nd", i.Low, 2, 1e-9)
	near(t, "high at the 9th", i.High, 9, 1e-9)
}

func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	nan := []float64{1, 2, math.NaN(), 4, 5, 6}
	if _, err := stats.TheilSen(nan, 0.9); err == nil {
		t.Error("a trend of NaN")
	}
	if _, err := stats.RatioInterval(nan, nan, 0.9); err == nil {
		t.Error("a ratio of NaN")
	}
	if _, err := stats.RatioInterval([]float64{1, 2, 3, 4, 5}, []float64{0, 0, 0, 0, 0}, 0.9); err == nil {
		t.Error("a ratio over nothing")
	}
	if _, err := stats.Wilson(1, 0, 0.9); err == nil {
		t.Error("a share of nothing")
	}
	if _, err := stats.Wilson(1, 2, 1.5); err == nil {
		t.Error("a level of 150 %")
	}
}
