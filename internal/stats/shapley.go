// Package stats is pure statistics: exact and sampled attribution, intervals, tests,
// correlation, regression, trend, concentration, shrinkage, confidence.
//
// It owns mathematics on numbers; it does no I/O, reads no clock, and draws random numbers
// only from a seed that the caller gives, so equal inputs give equal results.
package stats

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// MaxFactors is the most factors that are attributed exactly: 2^12 evaluations.
const MaxFactors = 12

// MaxSampledFactors is the most factors that are attributed at all.
const MaxSampledFactors = 62

// ErrUndefined says that the formula has no value in some mixture of old and new inputs
// (a denominator of zero), so that no exact attribution exists.
var ErrUndefined = errors.New("the formula has no value for some mixture of the inputs")

// shapleyDigits is how many decimals a part keeps before the remainder is given out.
const shapleyDigits = 16

// ShapleyDecimal attributes value(all) - value(none) to n factors by exact Shapley values:
// each factor's part is its marginal effect averaged over all orders in which the factors
// can change from old to new. Bit i of the mask says that factor i has its new value. The
// parts add up to the change exactly: they are rounded to 16 decimals and the rounding
// remainder goes to the largest part. value reports false where the formula is undefined;
// then the error is ErrUndefined. Source: Shapley (1953), A value for n-person games;
// weights |S|! (n-|S|-1)! / n!.
func ShapleyDecimal(n int, value func(mask uint) (quantity.Decimal, bool)) ([]quantity.Decimal, error) {
	if n < 1 || n > MaxFactors {
		return nil, fmt.Errorf("shapley: %d factors, want 1 to %d", n, MaxFactors)
	}
	values := make([]quantity.Decimal, 1<<n)
	for mask := range values {
		v, ok := value(uint(mask))
		if !ok {
			return nil, ErrUndefined
		}
		values[mask] = v
	}
	// The weights times n! are whole numbers, so that one division comes last.
	factorial := make([]int64, n+1)
	factorial[0] = 1
	for i := 1; i <= n; i++ {
		factorial[i] = factorial[i-1] * int64(i)
	}
	whole := decimal.NewFromInt(factorial[n])
	parts := make([]quantity.Decimal, n)
	left := values[len(values)-1].Sub(values[0])
	largest := 0
	for i := range n {
		var sum quantity.Decimal
		for mask := range values {
			if mask&(1<<i) != 0 {
				continue
			}
			size := bits.OnesCount(uint(mask))
			weight := decimal.NewFromInt(factorial[size] * factorial[n-size-1])
			sum = sum.Add(values[mask|1<<i].Sub(values[mask]).Mul(weight))
		}
		parts[i] = sum.DivRound(whole, shapleyDigits)
		left = left.Sub(parts[i])
		if parts[i].Abs().GreaterThan(parts[largest].Abs()) {
			largest = i
		}
	}
	parts[largest] = parts[largest].Add(left)
	return parts, nil
}

// Attribution is a change given out to factors.
type Attribution struct {
	Parts []quantity.Decimal // of each factor; they add up to the change exactly
	// SE is the standard error of each part from sampling, in its unit; nil when the parts
	// are exact.
	SE          []float64
	Evaluations int // of the formula
}

// Sampling tunes the attribution of more than MaxFactors factors. The zero value is ready
// to use.
type Sampling struct {
	Seed   uint64
	Blocks int // independent blocks of 2n orders each; zero means 16, at least 4
}

// Attribute is ShapleyDecimal for up to MaxSampledFactors factors: exact up to MaxFactors,
// sampled above. A block takes a random order of the factors, its n rotations, in which each
// factor stands once in each place, and the reverse of each (stratified by place,
// antithetic); the standard error comes from the spread between blocks. In every order the
// effects add up to the change, so the parts do; what rounding to 16 decimals leaves goes
// to the largest. A factor without effect gets nothing. Sources: Castro, Gómez & Tejada
// (2009), Computers & Operations Research 36; Mitchell, Cooper, Frank & Holmes (2022), JMLR
// 23 (antithetic and stratified orders).
func Attribute(n int, value func(mask uint) (quantity.Decimal, bool), o Sampling) (Attribution, error) {
	if n < 1 || n > MaxSampledFactors {
		return Attribution{}, fmt.Errorf("shapley: %d factors, want 1 to %d", n, MaxSampledFactors)
	}
	if n <= MaxFactors {
		parts, err := ShapleyDecimal(n, value)
		return Attribution{Parts: parts, Evaluations: 1 << n}, err
	}
	blocks := o.Blocks
	if blocks == 0 {
		blocks = 16
	}
	blocks = max(4, blocks)
	known := map[uint]quantity.Decimal{}
	at := func(mask uint) (quantity.Decimal, bool) {
		v, ok := known[mask]
		if !ok {
			if v, ok = value(mask); ok {
				known[mask] = v
			}
		}
		return v, ok
	}
	random := rand.New(rand.NewPCG(o.Seed, uint64(n)))
	sums, squares := make([]quantity.Decimal, n), make([]float64, n)
	for range blocks {
		block := make([]quantity.Decimal, n)
		order := random.Perm(n)
		for turn := range n {
			for _, forward := range []bool{true, false} {
				if !walk(order, turn, forward, at, block) {
					return Attribution{}, ErrUndefined
				}
			}
		}
		for i, b := range block {
			sums[i] = sums[i].Add(b)
			f := b.InexactFloat64() / float64(2*n)
			squares[i] += f * f
		}
	}
	out := Attribution{Parts: make([]quantity.Decimal, n), SE: make([]float64, n)}
	orders := decimal.NewFromInt(int64(2 * n * blocks))
	none, _ := at(0)
	left, _ := at(1<<n - 1)
	left = left.Sub(none)
	largest := 0
	m := float64(blocks)
	for i := range n {
		out.Parts[i] = sums[i].DivRound(orders, shapleyDigits)
		left = left.Sub(out.Parts[i])
		if out.Parts[i].Abs().GreaterThan(out.Parts[largest].Abs()) {
			largest = i
		}
		mean := out.Parts[i].InexactFloat64()
		out.SE[i] = math.Sqrt(max(0, squares[i]/m-mean*mean) / (m - 1))
	}
	out.Parts[largest] = out.Parts[largest].Add(left)
	out.Evaluations = len(known)
	return out, nil
}

// walk changes the factors in the order, begun at turn, and adds the effect of each to
// parts; false when the formula is undefined on the way.
func walk(order []int, turn int, forward bool, at func(uint) (quantity.Decimal, bool), parts []quantity.Decimal) bool {
	n := len(order)
	mask := uint(0)
	before, ok := at(0)
	for step := range n {
		if !ok {
			return false
		}
		place := step
		if !forward {
			place = n - 1 - step
		}
		factor := order[(turn+place)%n]
		mask |= 1 << factor
		var after quantity.Decimal
		if after, ok = at(mask); ok {
			parts[factor] = parts[factor].Add(after.Sub(before))
			before = after
		}
	}
	return ok
}
