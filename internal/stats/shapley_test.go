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

// pairs is a game of n factors with known Shapley values: factor i gives own[i], and i with
// its neighbor i+1 gives both[i] more, of which each gets half.
type pairs struct{ own, both []int64 }

func (p pairs) value(mask uint) (quantity.Decimal, bool) {
	v := int64(0)
	for i := range p.own {
		if mask>>i&1 == 1 {
			v += p.own[i]
			if i+1 < len(p.own) && mask>>(i+1)&1 == 1 {
				v += p.both[i]
			}
		}
	}
	return decimal.New(v, -2), true
}

func (p pairs) parts() []float64 {
	out := make([]float64, len(p.own))
	for i := range p.own {
		out[i] += float64(p.own[i]) / 100
		if i+1 < len(p.own) {
			out[i] += float64(p.both[i]) / 200
			out[i+1] += float64(p.both[i]) / 200
		}
	}
	return out
}

func TestSampledAttributionLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(stats.MaxFactors+1, 16).Draw(t, "n")
		draw := func(name string) pairs {
			number := rapid.SliceOfN(rapid.Int64Range(-1e7, 1e7), n, n)
			return pairs{number.Draw(t, name+" own"), number.Draw(t, name+" both")}
		}
		a, b := draw("a"), draw("b")
		null := rapid.IntRange(1, n-1).Draw(t, "null")
		a.own[null], a.both[null-1], a.both[null] = 0, 0, 0
		o := stats.Sampling{Seed: rapid.Uint64().Draw(t, "seed"), Blocks: 4}
		attribute := func(value func(uint) (quantity.Decimal, bool)) stats.Attribution {
			got, err := stats.Attribute(n, value, o)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		pa, pb := attribute(a.value), attribute(b.value)
		both := attribute(func(m uint) (quantity.Decimal, bool) {
			x, _ := a.value(m)
			y, _ := b.value(m)
			return x.Add(y), true
		})
		var sum quantity.Decimal
		tiny := dec("0.0000000000001")
		for i := range n {
			sum = sum.Add(pa.Parts[i])
			if d := both.Parts[i].Sub(pa.Parts[i]).Sub(pb.Parts[i]); d.Abs().GreaterThan(tiny) {
				t.Fatalf("additivity of factor %d is off by %s", i, d)
			}
		}
		all, _ := a.value(1<<n - 1)
		if !sum.Equal(all) {
			t.Fatalf("efficiency: parts add up to %s, the change is %s", sum, all)
		}
		if !pa.Parts[null].Abs().LessThan(tiny) || pa.SE[null] != 0 {
			t.Fatalf("a factor without effect got %s ± %v", pa.Parts[null], pa.SE[null])
		}
	})
}

func TestSampledAttributionIsAsSureAsItSays(t *testing.T) {
	t.Parallel()
	// A product of 14 factors has no closed form; its exact values come from all 2^14 masks.
	const n = 14
	value := func(mask uint) (quantity.Decimal, bool) {
		v := 1000.0
		for i := range n {
			if mask>>i&1 == 1 {
				v *= 1 + 0.3*math.Sin(float64(3*i+1))
			}
		}
		return decimal.NewFromFloat(v).Round(6), true
	}
	exact := exactFloat(n, value)
	inside, all, evaluations := 0, 0, 0
	for seed := range uint64(20) {
		got, err := stats.Attribute(n, value, stats.Sampling{Seed: seed, Blocks: 12})
		if err != nil {
			t.Fatal(err)
		}
		evaluations = got.Evaluations
		for i, p := range got.Parts {
			all++
			if math.Abs(p.InexactFloat64()-exact[i]) <= 2.2*got.SE[i] { // t(11) at 95 %
				inside++
			}
			if d := math.Abs(p.InexactFloat64() - exact[i]); d > 6*got.SE[i]+1e-9 {
				t.Errorf("seed %d factor %d: off by %v, standard error %v", seed, i, d, got.SE[i])
			}
		}
	}
	t.Logf("%d of %d parts within 2.2 standard errors, %d evaluations instead of %d", inside, all, evaluations, 1<<n)
	if share := float64(inside) / float64(all); share < 0.90 || share > 0.99 {
		t.Errorf("%.1f %% of the parts lie within the 95 %% interval", 100*share)
	}
	again, err := stats.Attribute(n, value, stats.Sampling{Seed: 1, Blocks: 12})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stats.Attribute(n, value, stats.Sampling{Seed: 1, Blocks: 12})
	if err != nil || !first.Parts[3].Equal(again.Parts[3]) {
		t.Errorf("the same seed gave %s and %s", first.Parts[3], again.Parts[3])
	}
}

func exactFloat(n int, value func(uint) (quantity.Decimal, bool)) []float64 {
	weights := make([]float64, n) // |S|! (n-|S|-1)! / n!
	for s := range weights {
		a, _ := math.Lgamma(float64(s + 1))
		b, _ := math.Lgamma(float64(n - s))
		c, _ := math.Lgamma(float64(n + 1))
		weights[s] = math.Exp(a + b - c)
	}
	table := make([]float64, 1<<n)
	for m := range table {
		v, _ := value(uint(m))
		table[m] = v.InexactFloat64()
	}
	parts := make([]float64, n)
	for m := range table {
		size := 0
		for i := range n {
			size += m >> i & 1
		}
		for i := range n {
			if m>>i&1 == 0 {
				parts[i] += weights[size] * (table[m|1<<i] - table[m])
			}
		}
	}
	return parts
}

func TestPairGamesAreSolvedExactlyByRotations(t *testing.T) {
	t.Parallel()
	// An order and its reverse give each of a pair half of what only both give.
	p := pairs{make([]int64, 30), make([]int64, 30)}
	for i := range p.own {
		p.own[i], p.both[i] = int64(100*i), int64(7*i-50)
	}
	got, err := stats.Attribute(30, p.value, stats.Sampling{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range p.parts() {
		near(t, "part", got.Parts[i].InexactFloat64(), want, 1e-9)
	}
}

func TestAttributionUpToTwelveFactorsIsExact(t *testing.T) {
	t.Parallel()
	p := pairs{[]int64{5, 7, 11}, []int64{2, 4, 0}}
	got, err := stats.Attribute(3, p.value, stats.Sampling{})
	if err != nil || got.SE != nil || got.Evaluations != 8 {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i, want := range p.parts() {
		near(t, "part", got.Parts[i].InexactFloat64(), want, 1e-12)
	}
	undefined := func(m uint) (quantity.Decimal, bool) { return dec("1"), m != 1<<13-1 }
	if _, err := stats.Attribute(13, undefined, stats.Sampling{}); !errors.Is(err, stats.ErrUndefined) {
		t.Errorf("got %v, want ErrUndefined", err)
	}
	for _, n := range []int{0, 63} {
		if _, err := stats.Attribute(n, undefined, stats.Sampling{}); err == nil {
			t.Errorf("%d factors were accepted", n)
		}
	}
}
