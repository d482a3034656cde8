package stats

import "math"

// FixedB returns the quantile that HAC uses for n values and level, over the square root of
// the plain Newey-West variance.
func FixedB(n int, level float64) float64 {
	h := newHAC(n, false)
	return tQuantile(0.5+level/2, h.df) * math.Sqrt(h.scale)
}
