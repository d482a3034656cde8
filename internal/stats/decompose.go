package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Shape says how a season acts on the level.
type Shape string

// The shapes.
const (
	Additive       Shape = "additive"       // so many units more in December
	Multiplicative Shape = "multiplicative" // so many times more in December; needs positive values
)

// join puts two parts together, part takes one off; without a shape there is no second part.
func (s Shape) join(a, b float64) float64 {
	switch s {
	case Additive:
		return a + b
	case Multiplicative:
		return a * b
	}
	return a
}

func (s Shape) part(v, from float64) float64 {
	switch s {
	case Additive:
		return v - from
	case Multiplicative:
		return v / from
	}
	return v
}

func checkSeason(y []float64, period int, shape Shape) error {
	if period < 2 {
		return fmt.Errorf("a season of %d steps, want 2 or more", period)
	}
	switch shape {
	case Additive:
	case Multiplicative:
		for i, v := range y {
			if !(v > 0) {
				return fmt.Errorf("value %d is %v: a multiplicative season needs positive values", i, v)
			}
		}
	default:
		return fmt.Errorf("shape %q is neither additive nor multiplicative", shape)
	}
	return nil
}

// Decompose splits y by moving averages: the trend is the centered average of a season
// (NaN for half a season at the ends, as is the remainder), the season the mean of what is
// left at each step, centered to sum 0 or to mean 1. It needs two seasons (ErrTooFew). Source: Kendall & Stuart (1983), The
// Advanced Theory of Statistics 3; as R's stats::decompose.
func Decompose(y []float64, period int, shape Shape) (Components, error) {
	if err := checkSeason(y, period, shape); err != nil {
		return Components{}, err
	}
	n := len(y)
	if n < 2*period || !finite(y) {
		return Components{}, ErrTooFew
	}
	c := Components{Trend: make([]float64, n), Seasonal: make([]float64, n), Remainder: make([]float64, n)}
	half := period / 2
	for i := range y {
		c.Trend[i] = math.NaN()
		if i < half || i+half >= n {
			continue
		}
		sum := 0.0
		for k := -half; k <= half; k++ {
			weight := 1.0
			if period%2 == 0 && (k == -half || k == half) {
				weight = 0.5
			}
			sum += weight * y[i+k]
		}
		c.Trend[i] = sum / float64(period)
	}
	figure, mean := make([]float64, period), 0.0
	for phase := range figure {
		sum, k := 0.0, 0.0
		for i := phase; i < n; i += period {
			if !math.IsNaN(c.Trend[i]) {
				sum += shape.part(y[i], c.Trend[i])
				k++
			}
		}
		figure[phase] = sum / k
		mean += figure[phase] / float64(period)
	}
	for i := range y {
		c.Seasonal[i] = shape.part(figure[i%period], mean)
		c.Remainder[i] = shape.part(shape.part(y[i], c.Trend[i]), c.Seasonal[i])
	}
	return c, nil
}

// Autocorrelation returns the correlation of y with itself at lags 0 to lags (index is lag,
// the first is 1), with the divisor n at every lag. It needs more than lags + 1 values that
// are not all equal (ErrTooFew). Source: Box & Jenkins (1976); as R's stats::acf.
func Autocorrelation(y []float64, lags int) ([]float64, error) {
	n := len(y)
	if lags < 0 || n < lags+2 || !finite(y) {
		return nil, ErrTooFew
	}
	mean := meanOf(y)
	r := make([]float64, lags+1)
	for lag := range r {
		for i := lag; i < n; i++ {
			r[lag] += (y[i] - mean) * (y[i-lag] - mean)
		}
	}
	if !(r[0] > 0) {
		return nil, ErrTooFew
	}
	for lag := lags; lag >= 0; lag-- {
		r[lag] /= r[0]
	}
	return r, nil
}

// PartialAutocorrelation returns, at lags 0 to lags (index is lag, the first is 1), the
// correlation with the value so long ago that those between do not explain. It needs what
// Autocorrelation needs. Source: the recursion of Durbin (1960) and Levinson; as R's
// stats::pacf.
func PartialAutocorrelation(y []float64, lags int) ([]float64, error) {
	r, err := Autocorrelation(y, lags)
	if err != nil {
		return nil, err
	}
	partial, phi := []float64{1}, []float64(nil)
	for k := 1; k <= lags; k++ {
		above, below := r[k], 1.0
		for j, f := range phi {
			above -= f * r[k-1-j]
			below -= f * r[j+1]
		}
		last := 0.0
		if below > 0 {
			last = above / below
		}
		next := make([]float64, k)
		for j, f := range phi {
			next[j] = f - last*phi[k-2-j]
		}
		next[k-1] = last
		partial, phi = append(partial, last), next
	}
	return partial, nil
}

// LjungBox tests whether the first so many autocorrelations of y are all 0. fitted is how
// many coefficients of a model y is the residual of, 0 for a plain series; the statistic is
// compared with chi-squared of lags - fitted degrees of freedom, which must be positive. It
// needs what Autocorrelation needs. Source: Ljung & Box (1978), Biometrika 65.
func LjungBox(y []float64, lags, fitted int) (statistic, p float64, err error) {
	if fitted < 0 || lags <= fitted {
		return 0, 0, fmt.Errorf("ljung-box: %d lags for %d fitted coefficients", lags, fitted)
	}
	r, err := Autocorrelation(y, lags)
	if err != nil {
		return 0, 0, err
	}
	n := float64(len(y))
	for k := 1; k <= lags; k++ {
		statistic += n * (n + 2) * r[k] * r[k] / (n - float64(k))
	}
	return statistic, distuv.ChiSquared{K: float64(lags - fitted)}.Survival(statistic), nil
}
