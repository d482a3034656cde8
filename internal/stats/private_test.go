package stats_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func mechanism(t testing.TB, g stats.Grid, epsilon float64) *stats.Private {
	t.Helper()
	p, err := stats.NewPrivate(g, epsilon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// odds are the exact probabilities of the points, as fractions.
func odds(t testing.TB, p *stats.Private, values []float64, quartile int) []*big.Rat {
	t.Helper()
	weights, err := p.Weights(values, quartile)
	if err != nil {
		t.Fatal(err)
	}
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, w)
	}
	out := make([]*big.Rat, len(weights))
	for i, w := range weights {
		out[i] = new(big.Rat).SetFrac(w, total)
	}
	return out
}

// logRatio is the logarithm of a fraction of two fractions.
func logRatio(a, b *big.Rat) float64 {
	q, _ := new(big.Float).SetRat(new(big.Rat).Quo(a, b)).Float64()
	return math.Log(q)
}

// somewhere is a value on the grid, on its ends or beyond, often the same as another.
func somewhere(rnd *rand.Rand, others []float64) float64 {
	switch k := rnd.IntN(10); {
	case k == 0:
		return -1e9
	case k == 1:
		return 1e9
	case k < 4 && len(others) > 0:
		return others[rnd.IntN(len(others))]
	}
	return rnd.Float64()
}

func TestNoOwnerMovesAnOutcomeByMoreThanEpsilon(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 5))
	sets := 4000
	if os.Getenv("MOAT_SOAK") != "" {
		sets = 100_000
	}
	for _, epsilon := range []float64{0.1, 1, 2, 4} {
		worst := 0.0
		for range sets / 4 {
			p := mechanism(t, stats.Grid{Low: 0, High: 1, Points: 2 + rnd.IntN(20)}, epsilon)
			values := make([]float64, 1+rnd.IntN(12))
			for i := range values {
				values[i] = somewhere(rnd, values[:i])
			}
			other := slices.Clone(values)
			other[rnd.IntN(len(other))] = somewhere(rnd, values)
			quartile := 1 + rnd.IntN(3)
			a, b := odds(t, p, values, quartile), odds(t, p, other, quartile)
			for i := range a {
				worst = max(worst, math.Abs(logRatio(a[i], b[i])))
			}
		}
		if worst > epsilon*(1+1e-12) {
			t.Errorf("epsilon %v: one value moves a probability by the factor e^%v", epsilon, worst)
		}
		if worst < epsilon/2 { // otherwise the sets are too tame to show anything
			t.Errorf("epsilon %v: the largest log ratio over all sets is only %v", epsilon, worst)
		}
	}
}

func TestProbabilitiesAreThoseOfTheExponentialMechanism(t *testing.T) {
	t.Parallel()
	// By hand: of 2, 4, 4, 7 and 9 on 0 … 10, the median stands half a rank from the point 5
	// (three below, two above) and none from 4.
	values, epsilon := []float64{2, 4, 4, 7, 9}, 1.0
	away := []float64{2.5, 2.5, 1.5, 1.5, 0, 0.5, 0.5, 0.5, 1.5, 1.5, 2.5}
	total := 0.0
	for _, d := range away {
		total += math.Exp(-epsilon * d / 2)
	}
	got := odds(t, mechanism(t, stats.Grid{Low: 0, High: 10, Points: 11}, epsilon), values, 2)
	for i, d := range away {
		want := math.Exp(-epsilon*d/2) / total
		if have, _ := got[i].Float64(); math.Abs(have-want) > 1e-4*want {
			t.Errorf("point %d: probability %v, want %v", i, have, want)
		}
	}
}

func TestDrawsFollowTheWeights(t *testing.T) {
	t.Parallel()
	p := mechanism(t, stats.Grid{Low: 0, High: 1, Points: 6}, 3)
	values := []float64{0.1, 0.35, 0.4, 0.8, 0.9}
	want := odds(t, p, values, 1)
	random, counts, n := rand.NewChaCha8([32]byte{7}), make([]float64, 6), 20_000
	for range n {
		i, err := p.Draw(values, 1, random)
		if err != nil {
			t.Fatal(err)
		}
		counts[i]++
	}
	square := 0.0
	for i, c := range counts {
		share, _ := want[i].Float64()
		square += (c - share*float64(n)) * (c - share*float64(n)) / (share * float64(n))
	}
	if square > 20.5 { // chi-squared with 5 degrees of freedom, 0.999
		t.Errorf("the draws %v do not follow their probabilities: chi-squared %v", counts, square)
	}
}

func TestPrivateReleasesRefuse(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() error{
		"no epsilon":      func() error { _, err := stats.NewPrivate(stats.Grid{High: 1, Points: 5}, 0); return err },
		"endless epsilon": func() error { _, err := stats.NewPrivate(stats.Grid{High: 1, Points: 5}, math.Inf(1)); return err },
		"a point":         func() error { _, err := stats.NewPrivate(stats.Grid{High: 1, Points: 1}, 1); return err },
		"no width":        func() error { _, err := stats.NewPrivate(stats.Grid{Points: 5}, 1); return err },
		"no values": func() error {
			_, err := mechanism(t, stats.Grid{High: 1, Points: 5}, 1).Weights(nil, 2)
			return err
		},
		"not a number": func() error {
			_, err := mechanism(t, stats.Grid{High: 1, Points: 5}, 1).Weights([]float64{math.NaN()}, 2)
			return err
		},
	} {
		if err := make(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// population draws what the peers of one release have, on a grid from 0 to 1.
var populations = []struct {
	name string
	draw func(rnd *rand.Rand) func() float64
}{
	{"normal, spread 0.10", func(rnd *rand.Rand) func() float64 {
		at := 0.2 + 0.6*rnd.Float64()
		return func() float64 { return at + 0.1*rnd.NormFloat64() }
	}},
	{"even, width 0.40", func(rnd *rand.Rand) func() float64 {
		at := 0.6 * rnd.Float64()
		return func() float64 { return at + 0.4*rnd.Float64() }
	}},
	{"skewed, mean 0.15 above its start", func(rnd *rand.Rand) func() float64 {
		at := 0.5 * rnd.Float64()
		return func() float64 { return at + 0.15*rnd.ExpFloat64() }
	}},
}

// TestEvalPrivate measures how far a released quartile is from that of the values, and how
// often the range that is shown with it holds it. Its table is in docs/benchmarking.md.
func TestEvalPrivate(t *testing.T) {
	t.Parallel()
	draws := 600
	if os.Getenv("MOAT_SOAK") != "" {
		draws = 20_000
	}
	grid := stats.Grid{Low: 0, High: 1, Points: 51}
	for _, one := range []struct {
		n, quartile int
		epsilon     float64
	}{{5, 2, 2}, {10, 2, 2}, {20, 2, 2}, {40, 2, 0.6}, {40, 1, 0.7}, {40, 3, 0.7}, {50, 2, 0.6}, {50, 1, 0.7}} {
		p := mechanism(t, grid, one.epsilon)
		ranges := map[int][2]float64{}
		for _, pop := range populations {
			label := fmt.Sprintf("n=%d quartile %d epsilon %v, %s", one.n, one.quartile, one.epsilon, pop.name)
			rnd := rand.New(rand.NewPCG(stats.Seed(label), 1))
			random := rand.NewChaCha8([32]byte{byte(one.n), byte(one.quartile)})
			var off []float64
			held, width := 0, 0.0
			for range draws {
				next, values := pop.draw(rnd), make([]float64, one.n)
				for i := range values {
					values[i] = min(1, max(0, next()))
				}
				i, err := p.Draw(values, one.quartile, random)
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(values)
				truth := stats.Quantile(values, float64(one.quartile)/4)
				off = append(off, math.Abs(grid.At(i)-truth))
				r, ok := ranges[i]
				if !ok {
					r[0], r[1] = p.Range(i, one.n, one.quartile, 0.9)
					ranges[i] = r
				}
				width += (r[1] - r[0]) / float64(draws)
				if r[0]-grid.Step()/2 <= truth && truth <= r[1]+grid.Step()/2 {
					held++
				}
			}
			slices.Sort(off)
			share := float64(held) / float64(draws)
			t.Logf("%-68s off by %.3f (half of them), %.3f (nine of ten); range %.2f wide holds it %.1f %%", label, stats.Quantile(off, 0.5), stats.Quantile(off, 0.9), width, 100*share)
			if share < 0.87-3*math.Sqrt(0.9*0.1/float64(draws)) {
				t.Errorf("%s: the range holds the quartile in %.1f %% only", label, 100*share)
			}
		}
	}
}
