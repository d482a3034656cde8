// Package stats is pure statistics: exact attribution, intervals, trend, concentration,
// shrinkage, confidence.
//
// It owns mathematics on numbers; it does no I/O, reads no clock, and draws no random
// numbers, so equal inputs give equal results.
package stats

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/shopspring/decimal"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// MaxFactors is the most factors that are attributed exactly: 2^12 evaluations.
const MaxFactors = 12

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
