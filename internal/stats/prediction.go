package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Prediction returns the interval in which one further observation lies with probability
// level, when it is drawn from the same normal distribution as the values and independently
// of them: mean ± t(n−1) · s · √(1 + 1/n). The estimate is the mean. It needs 2 values; equal
// ones give an interval of no width. Source: Hahn & Meeker (1991), Statistical Intervals,
// 4.6; Montgomery & Runger, Applied Statistics and Probability for Engineers, 8-6.
func Prediction(values []float64, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	n := len(values)
	if n < 2 || !finite(values) {
		return Interval{}, ErrTooFew
	}
	const method = "Student prediction interval"
	if slices.Min(values) == slices.Max(values) { // no rounding of the mean
		return Interval{values[0], values[0], values[0], level, n, method}, nil
	}
	mean, sd := stat.MeanStdDev(values, nil)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(0.5 + level/2)
	half := t * sd * math.Sqrt(1+1/float64(n))
	return Interval{mean, mean - half, mean + half, level, n, method}, nil
}

// Exceeds returns the probability that one further observation, drawn as Prediction says, is
// above x: 1 − T((x − mean) ÷ (s · √(1 + 1/n))) with the t distribution of n − 1 degrees. It
// needs 2 values; equal ones give 0 or 1. Source: as Prediction.
func Exceeds(values []float64, x float64) (float64, error) {
	n := len(values)
	if n < 2 || !finite(values) || math.IsNaN(x) {
		return 0, ErrTooFew
	}
	if slices.Min(values) == slices.Max(values) {
		if values[0] > x {
			return 1, nil
		}
		return 0, nil
	}
	mean, sd := stat.MeanStdDev(values, nil)
	return distuv.StudentsT{Mu: mean, Sigma: sd * math.Sqrt(1+1/float64(n)), Nu: float64(n - 1)}.Survival(x), nil
}

// NextError is where the next error of a forecasting rule lies, about zero.
type NextError struct {
	Half     float64 // of the interval, in the unit of the errors
	N        int     // past errors
	scale, n float64
}

// PastErrors returns where the next error of a rule lies with probability level, given its
// past ones: ± t(n) × their root mean square, for independent normal errors around zero. A
// rule that is off to one side has a wider interval, not a moved one. It needs 5 errors that
// are not all 0 (ErrTooFew). Source: the ratio of a normal value to the root mean square of n
// others is Student's t with n degrees of freedom; Hyndman & Athanasopoulos, Forecasting:
// Principles and Practice, 5.5.
func PastErrors(errors []float64, level float64) (NextError, error) {
	if err := checkLevel(level); err != nil {
		return NextError{}, err
	}
	if len(errors) < 5 || !finite(errors) {
		return NextError{}, ErrTooFew
	}
	squares := 0.0
	for _, e := range errors {
		squares += e * e
	}
	n := float64(len(errors))
	if squares == 0 {
		return NextError{}, ErrTooFew
	}
	scale := math.Sqrt(squares / n)
	return NextError{tQuantile(0.5+level/2, n) * scale, len(errors), scale, n}, nil
}

// Below returns the probability that the next error is below x.
func (e NextError) Below(x float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: e.scale, Nu: e.n}.CDF(x)
}
