package stats

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Summary describes values in their order; all in the unit of the values except Lag1.
type Summary struct {
	N        int
	Mean     float64
	SD       float64 // with n - 1 in the denominator; NaN for one value
	Lag1     float64 // autocorrelation at lag 1, -1 to 1; NaN for one value or equal ones
	Min, Max float64
}

// Summarize returns the moments of x. It needs one finite value (ErrTooFew). The first value
// is taken off before anything is summed and sums are compensated (Neumaier 1974), so that
// a large common offset costs no digits beyond those that x itself has lost. Definitions as
// certified in NIST StRD, Univariate Summary Statistics.
func Summarize(x []float64) (Summary, error) {
	if len(x) == 0 || !finite(x) {
		return Summary{}, ErrTooFew
	}
	n := len(x)
	d := make([]float64, n)
	for i, v := range x {
		d[i] = v - x[0]
	}
	mean := sum(d) / float64(n)
	for i := range d {
		d[i] -= mean
	}
	squares := squaresAround(d)
	out := Summary{n, x[0] + mean, math.NaN(), math.NaN(), slices.Min(x), slices.Max(x)}
	if n > 1 {
		out.SD = math.Sqrt(squares / float64(n-1))
	}
	if squares > 0 {
		products := make([]float64, n-1)
		for i := range products {
			products[i] = d[i] * d[i+1]
		}
		out.Lag1 = sum(products) / squares
	}
	return out, nil
}

// sum adds with Neumaier's compensation.
func sum(x []float64) float64 {
	total, lost := 0.0, 0.0
	for _, v := range x {
		t := total + v
		if math.Abs(total) >= math.Abs(v) {
			lost += (total - t) + v
		} else {
			lost += (v - t) + total
		}
		total = t
	}
	return total + lost
}

// squaresAround returns the sum of squares of d around its own mean, which is near 0.
func squaresAround(d []float64) float64 {
	squares := make([]float64, len(d))
	for i, v := range d {
		squares[i] = v * v
	}
	s := sum(d)
	return max(0, sum(squares)-s*s/float64(len(d)))
}

// Mean returns Student's interval of the expected value of independent, roughly normal
// values: mean ± t(n−1) · s / √n. It needs 2 values. Simulated coverage is within a point
// for normal values from 5 on; skewed as an exponential distribution it falls short by up
// to 7 points at 5 to 12 values (then use BootstrapMean), and values in time order with a
// memory need MonthlyMean or HAC. Source: Student (1908), Biometrika 6.
func Mean(x []float64, level float64) (Student, error) {
	if err := checkLevel(level); err != nil {
		return Student{}, err
	}
	if len(x) < 2 {
		return Student{}, ErrTooFew
	}
	s, err := Summarize(x)
	if err != nil {
		return Student{}, err
	}
	return student(s.Mean, s.SD/math.Sqrt(float64(s.N)), float64(s.N-1), level, s.N, "Student's t"), nil
}

// Student is an interval from Student's t distribution, which also says how probable it is
// that the true value lies below a line.
type Student struct {
	Interval
	SE float64 `json:"se"` // standard error, in the unit of the estimate
	DF float64 `json:"df"` // degrees of freedom, not always whole
}

func student(estimate, se, df, level float64, n int, method string) Student {
	half := 0.0
	if se > 0 {
		half = se * tQuantile(0.5+level/2, df)
	}
	return Student{Interval{estimate, estimate - half, estimate + half, level, n, method}, se, df}
}

// Below returns how probable it is, 0 to 1, that the true value is below x, by the same t
// distribution as the interval: Below(Low) is (1 − level) / 2 and Below(High) (1 + level) / 2.
// It is a confidence level, read as a probability when nothing else is known of the value.
func (s Student) Below(x float64) float64 {
	if s.SE > 0 {
		return tCDF((x-s.Estimate)/s.SE, s.DF)
	}
	switch {
	case x > s.Estimate:
		return 1
	case x < s.Estimate:
		return 0
	}
	return 0.5
}

// Times is that of Interval, with the standard error.
func (s Student) Times(k float64) Student {
	s.Interval, s.SE = s.Interval.Times(k), k*s.SE
	return s
}

// At returns the same estimate with the interval of another level.
func (s Student) At(level float64) (Student, error) {
	if err := checkLevel(level); err != nil {
		return Student{}, err
	}
	return student(s.Estimate, s.SE, s.DF, level, s.N, s.Method), nil
}

func tQuantile(p, df float64) float64 { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p) }

func tCDF(t, df float64) float64 {
	if math.IsNaN(t) {
		return t
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(t)
}

// twoSidedT returns the probability of a |t| as large under t(df), without loss in the tail.
func twoSidedT(t, df float64) float64 {
	switch {
	case math.IsNaN(t):
		return math.NaN()
	case t == 0:
		return 1
	}
	return mathext.RegIncBeta(df/2, 0.5, df/(t*t+df))
}

// twoSidedZ returns the probability of a |z| as large under the normal distribution.
func twoSidedZ(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// upperF returns the probability of an F as large, without loss in the tail.
func upperF(f, df1, df2 float64) float64 {
	switch {
	case math.IsInf(f, 1):
		return 0
	case math.IsNaN(f):
		return f
	case f <= 0: // by rounding, when nothing is explained
		return 1
	}
	return mathext.RegIncBeta(df2/2, df1/2, df2/(df2+df1*f))
}

// ANOVA is a one-way analysis of variance. Sums of squares are in the squared unit.
type ANOVA struct {
	Between, Within     float64 // sums of squares
	DFBetween, DFWithin int
	F                   float64 // +Inf when groups differ and nothing varies within them
	P                   float64 // two-sided p of "all groups have one mean"
	R2                  float64 // share of the variance that lies between groups
	ResidualSD          float64
}

// ErrConstant says that the values do not vary, so that the question has no answer.
var ErrConstant = errors.New("the values do not vary")

// OneWay compares the means of groups of values with one variance. It needs 2 groups, each
// with a value, and more values than groups (ErrTooFew); ErrConstant when all values are
// equal. Source: Fisher (1925); certified by NIST StRD, Analysis of Variance.
func OneWay(groups [][]float64) (ANOVA, error) {
	n := 0
	for _, g := range groups {
		if len(g) == 0 {
			return ANOVA{}, ErrTooFew
		}
		n += len(g)
	}
	if len(groups) < 2 || n <= len(groups) || !finite(groups...) {
		return ANOVA{}, ErrTooFew
	}
	offset := groups[0][0]
	means := make([]float64, len(groups))
	var all, within []float64
	for i, g := range groups {
		d := make([]float64, len(g))
		for j, v := range g {
			d[j] = v - offset
		}
		all = append(all, d...)
		means[i] = sum(d) / float64(len(g))
		for j := range d {
			d[j] -= means[i]
		}
		within = append(within, squaresAround(d))
	}
	grand := sum(all) / float64(n)
	between := make([]float64, len(groups))
	for i, m := range means {
		between[i] = float64(len(groups[i])) * (m - grand) * (m - grand)
	}
	out := ANOVA{Between: sum(between), Within: sum(within), DFBetween: len(groups) - 1, DFWithin: n - len(groups)}
	if out.Between+out.Within == 0 {
		return ANOVA{}, ErrConstant
	}
	mean := out.Within / float64(out.DFWithin)
	out.F = out.Between / float64(out.DFBetween) / mean
	out.P = upperF(out.F, float64(out.DFBetween), float64(out.DFWithin))
	out.R2 = out.Between / (out.Between + out.Within)
	out.ResidualSD = math.Sqrt(mean)
	return out, nil
}
