package stats

import (
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Grid is the finite set of values that a private release may take: Points of them at equal
// distances from Low to High, all public. Values outside count as its ends.
type Grid struct {
	Low, High float64
	Points    int
}

// At is the value of a point, 0 to Points − 1.
func (g Grid) At(i int) float64 {
	return g.Low + (g.High-g.Low)*float64(i)/float64(g.Points-1)
}

// Step is the distance of neighboring points.
func (g Grid) Step() float64 { return (g.High - g.Low) / float64(g.Points-1) }

// nearest is the point next to a value.
func (g Grid) nearest(v float64) int {
	return int(math.Round(min(float64(g.Points-1), max(0, (v-g.Low)/g.Step()))))
}

// privateBits is how finely the weights of a release are cut: one more quarter of a rank away
// multiplies a point's weight by keep/2^privateBits.
const privateBits = 16

// Private releases quartiles of values of different owners, each of which alone changes the
// probability of no outcome by more than the factor e^Epsilon: the exponential mechanism with
// the distance in ranks as what is to be small. Another value of one owner moves that
// distance by at most one rank, so a point d quarters of a rank away has the weight r^d with
// r at least e^(−Epsilon/8). The weights are whole numbers and the draw among them is exact:
// nothing is said through the rounding of floats. How many values there are is public.
// Sources: McSherry & Talwar (2007), Mechanism design via differential privacy; Smith (2011),
// Privacy-preserving statistical estimation with optimal convergence rates (quantiles);
// Mironov (2012), On significance of the least significant bits (floats); exact weights as in
// Ilvento (2020), Implementing the exponential mechanism with base-2 differential privacy.
type Private struct {
	Grid    Grid
	Epsilon float64
	keep    int64
}

// NewPrivate returns a mechanism. The grid needs 2 to 10,000 points, epsilon is above 0 and
// at most 20.
func NewPrivate(grid Grid, epsilon float64) (*Private, error) {
	if grid.Points < 2 || grid.Points > 10_000 || !(grid.Low < grid.High) || math.IsInf(grid.High-grid.Low, 0) {
		return nil, fmt.Errorf("private release: the grid %+v is not valid", grid)
	}
	if !(epsilon > 0) || epsilon > 20 {
		return nil, fmt.Errorf("private release: epsilon %v is not above 0 and at most 20", epsilon)
	}
	// Rounded up: the weights fall no faster than epsilon allows. A whole number would be one
	// of no fall at all.
	keep := int64(math.Ceil(math.Exp(-epsilon/8) * (1 << privateBits)))
	return &Private{grid, epsilon, min(keep, 1<<privateBits)}, nil
}

// Draw returns the point that stands for the quartile (1, 2 for the median, or 3) of the
// values. random must be a secret source such as crypto/rand.Reader; what is drawn twice of
// the same values costs Epsilon twice. It needs a value (ErrTooFew), none of them NaN.
func (p *Private) Draw(values []float64, quartile int, random io.Reader) (int, error) {
	weights, err := p.Weights(values, quartile)
	if err != nil {
		return 0, err
	}
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, w)
	}
	at, err := rand.Int(random, total)
	if err != nil {
		return 0, fmt.Errorf("private release: %w", err)
	}
	for i, w := range weights {
		if at.Cmp(w) < 0 {
			return i, nil
		}
		at.Sub(at, w)
	}
	return 0, fmt.Errorf("private release: the weights do not add up")
}

// Weights are proportional to the exact probabilities of the points.
func (p *Private) Weights(values []float64, quartile int) ([]*big.Int, error) {
	if len(values) == 0 || quartile < 1 || quartile > 3 {
		return nil, ErrTooFew
	}
	points := make([]int, len(values))
	for i, v := range values {
		if math.IsNaN(v) {
			return nil, fmt.Errorf("private release: a value is not a number")
		}
		points[i] = p.Grid.nearest(v)
	}
	far := p.ranksAway(points, quartile)
	furthest := slices.Max(far)
	powers := make([]*big.Int, furthest+1) // keep^d · 2^(bits·(furthest−d))
	k := big.NewInt(1)
	for d := range powers {
		powers[d] = new(big.Int).Lsh(k, uint(privateBits*(furthest-d)))
		k = new(big.Int).Mul(k, big.NewInt(p.keep))
	}
	out := make([]*big.Int, len(far))
	for i, d := range far {
		out[i] = powers[d]
	}
	return out, nil
}

// ranksAway is how many quarters of a rank each point of the grid lies from the quartile.
func (p *Private) ranksAway(points []int, quartile int) []int {
	at := make([]int, p.Grid.Points)
	for _, i := range points {
		at[i]++
	}
	out, below, want := make([]int, p.Grid.Points), 0, quartile*len(points)
	for i, here := range at {
		out[i] = max(0, 4*below-want, want-4*(below+here))
		below += here
	}
	return out
}

// privateSpreads are the deviations that Range holds for equally possible, as shares of the
// grid's width.
var privateSpreads = []float64{1. / 16, 1. / 8, 1. / 4}

// Range returns where the quartile of n values lies with a probability of level, given that
// point i was drawn for it. It uses nothing but what is public: it takes the values for
// normal around a middle that may be anywhere on the grid. Its coverage is checked by
// simulation on other populations, too (TestEvalPrivate).
func (p *Private) Range(i, n, quartile int, level float64) (low, high float64) {
	mass := make([]float64, p.Grid.Points)
	r := float64(p.keep) / (1 << privateBits)
	points := make([]int, n)
	for middle := range p.Grid.Points {
		for _, s := range privateSpreads {
			for j := range points {
				z := distuv.UnitNormal.Quantile((float64(j) + 0.5) / float64(n))
				points[j] = p.Grid.nearest(p.Grid.At(middle) + s*(p.Grid.High-p.Grid.Low)*z)
			}
			far, total := p.ranksAway(points, quartile), 0.0
			for _, d := range far {
				total += math.Pow(r, float64(d))
			}
			mass[middleOf(points, quartile)] += math.Pow(r, float64(far[i])) / total
		}
	}
	sum, tail, below := 0.0, (1-level)/2, 0.0
	for _, m := range mass {
		sum += m
	}
	first, last := -1, p.Grid.Points-1
	for k, m := range mass {
		below += m / sum
		if first < 0 && below > tail {
			first = k
		}
		if below >= 1-tail {
			last = k
			break
		}
	}
	return p.Grid.At(max(0, first)), p.Grid.At(last)
}

// middleOf is the point of a quartile among sorted points.
func middleOf(sorted []int, quartile int) int {
	at := float64(quartile) / 4 * float64(len(sorted)-1)
	a, b := sorted[int(math.Floor(at))], sorted[int(math.Ceil(at))]
	return int(math.Round(float64(a) + (at-math.Floor(at))*float64(b-a)))
}
