package stats

import (
	"fmt"
	"math"
	"slices"
)

// The functions below adjust the p-values of many tests for their number. The result stands
// in the order of the input; a test counts as found at level q when its adjusted p is at
// most q. None needs a least number of tests; no tests give none. A value outside 0 to 1 is
// an error.

// BenjaminiHochberg returns the p-values adjusted so that, among the tests found at level q,
// the expected share of false ones is at most q. It holds for independent tests and for
// those that depend positively on each other. Source: Benjamini & Hochberg (1995), JRSS B
// 57; Benjamini & Yekutieli (2001), Annals of Statistics 29.
func BenjaminiHochberg(p []float64) ([]float64, error) { return stepUp(p, 1) }

// BenjaminiYekutieli is BenjaminiHochberg for any dependence: wider by the sum 1 + 1/2 + … +
// 1/n. Source: Benjamini & Yekutieli (2001), theorem 1.3.
func BenjaminiYekutieli(p []float64) ([]float64, error) {
	harmonic := 0.0
	for i := range p {
		harmonic += 1 / float64(i+1)
	}
	return stepUp(p, harmonic)
}

// Holm returns the p-values adjusted so that the probability of any false find at level q is
// at most q, for any dependence. Source: Holm (1979), Scandinavian Journal of Statistics 6.
func Holm(p []float64) ([]float64, error) {
	order, err := ascending(p)
	if err != nil {
		return nil, err
	}
	adjusted, most := make([]float64, len(p)), 0.0
	for rank, i := range order {
		most = max(most, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = most
	}
	return adjusted, nil
}

// stepUp adjusts from the largest p down: the smallest of factor n p / rank over the ranks
// from its own up.
func stepUp(p []float64, factor float64) ([]float64, error) {
	order, err := ascending(p)
	if err != nil {
		return nil, err
	}
	adjusted, least := make([]float64, len(p)), 1.0
	for rank := len(p); rank >= 1; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*(factor*(float64(len(p))/float64(rank))))
		adjusted[i] = least
	}
	return adjusted, nil
}

// ascending returns the indices of p from the smallest value up.
func ascending(p []float64) ([]int, error) {
	order := make([]int, len(p))
	for i, v := range p {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return nil, fmt.Errorf("p-value %d is %v, not between 0 and 1", i, v)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	return order, nil
}
