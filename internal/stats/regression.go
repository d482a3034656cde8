package stats

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrCollinear says that a predictor is (nearly) a combination of the others or constant, so
// that its own effect cannot be told.
var ErrCollinear = errors.New("a predictor is a combination of the others")

// collinear is the share of a predictor's spread that must be its own.
const collinear = 1e-7

// Coefficient is the effect of one unit of a predictor, in units of y.
type Coefficient struct {
	Student
	T float64 // estimate over its standard error
	P float64 // two-sided p of "no effect"
}

// Regression is a fitted line, plane, ….
type Regression struct {
	Coefficients []Coefficient // the intercept, then one for each predictor
	Residuals    []float64     // in units of y
	Sigma        float64       // residual standard deviation
	R2, Adjusted float64       // share of the variance that the predictors explain
	F, FP        float64       // test of "no predictor has an effect"
	DF           int           // residual degrees of freedom
	AIC, BIC     float64       // of the normal model, sigma counted as a parameter
}

// Regress fits y = b0 + b1 x1 + … by least squares with independent errors of one variance.
// x holds a slice as long as y for each predictor. It needs two more values than predictors
// (ErrTooFew); ErrCollinear and ErrConstant say what else is wrong. Columns are centered
// and scaled, then decomposed by Householder QR with one step of refinement, which holds
// the certified digits of NIST StRD. Source: Golub & Van Loan, Matrix Computations, 5.3.
func Regress(y []float64, x [][]float64, level float64) (Regression, error) {
	if err := checkLevel(level); err != nil {
		return Regression{}, err
	}
	n, k := len(y), len(x)
	if k < 1 || n < k+2 || !finite(y) || !finite(x...) {
		return Regression{}, ErrTooFew
	}
	for _, column := range x {
		if len(column) != n {
			return Regression{}, ErrTooFew
		}
	}
	yc, yMean := centered(y)
	total := squaresAround(yc)
	if total == 0 {
		return Regression{}, ErrConstant
	}
	design := mat.NewDense(n, k, nil)
	means, scales := make([]float64, k), make([]float64, k)
	for j, column := range x {
		c, m := centered(column)
		means[j], scales[j] = m, math.Sqrt(squaresAround(c))
		if !(scales[j] > 1e-14*math.Abs(m)) {
			return Regression{}, ErrCollinear
		}
		for i, v := range c {
			design.Set(i, j, v/scales[j])
		}
	}
	var qr mat.QR
	qr.Factorize(design)
	var r mat.Dense
	qr.RTo(&r)
	for j := range k {
		if math.Abs(r.At(j, j)) < collinear {
			return Regression{}, ErrCollinear
		}
	}
	beta, residuals, err := refined(&qr, design, yc)
	if err != nil {
		return Regression{}, err
	}
	out := Regression{Residuals: residuals, DF: n - k - 1}
	rss := squaresAround(residuals)
	s2 := rss / float64(out.DF)
	out.Sigma = math.Sqrt(s2)
	out.R2 = 1 - rss/total
	out.Adjusted = 1 - (1-out.R2)*float64(n-1)/float64(out.DF)
	out.F = (total - rss) / float64(k) / s2
	out.FP = upperF(out.F, float64(k), float64(out.DF))
	logs := float64(n) * (math.Log(2*math.Pi*rss/float64(n)) + 1)
	out.AIC = logs + 2*float64(k+2)
	out.BIC = logs + math.Log(float64(n))*float64(k+2)

	// Variances: the rows of R's inverse give (X'X)^-1 of the scaled columns.
	var inverse mat.Dense
	if err := inverse.Inverse(r.Slice(0, k, 0, k)); err != nil {
		return Regression{}, ErrCollinear
	}
	intercept, leverage := make([]float64, 0, k), 1/float64(n)
	for c := range k {
		v := 0.0
		for j := range k {
			v += means[j] / scales[j] * inverse.At(j, c)
		}
		leverage += v * v
	}
	coefficient := func(b, variance float64) Coefficient {
		s := student(b, math.Sqrt(variance), float64(out.DF), level, n, "least squares")
		t := b / s.SE
		return Coefficient{s, t, twoSidedT(t, s.DF)}
	}
	out.Coefficients = append(out.Coefficients, Coefficient{})
	for j := range k {
		v := 0.0
		for c := range k {
			v += inverse.At(j, c) * inverse.At(j, c)
		}
		b := beta[j] / scales[j]
		intercept = append(intercept, -b*means[j])
		out.Coefficients = append(out.Coefficients, coefficient(b, s2*v/scales[j]/scales[j]))
	}
	out.Coefficients[0] = coefficient(sum(append(intercept, yMean)), s2*leverage)
	return out, nil
}

// centered returns x less its mean, and the mean.
func centered(x []float64) ([]float64, float64) {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = v - x[0]
	}
	m := sum(d) / float64(len(x))
	for i := range d {
		d[i] -= m
	}
	return d, x[0] + m
}

// refined solves least squares and corrects the solution once by its own residuals.
func refined(qr *mat.QR, design *mat.Dense, y []float64) (beta, residuals []float64, err error) {
	n, k := design.Dims()
	b, step := mat.NewVecDense(k, nil), mat.NewVecDense(k, nil)
	residuals = append([]float64{}, y...)
	for range 2 {
		if err := qr.SolveVecTo(step, false, mat.NewVecDense(n, residuals)); err != nil {
			return nil, nil, ErrCollinear
		}
		b.AddVec(b, step)
		terms := make([]float64, k+1)
		for i := range residuals {
			terms[k] = y[i]
			for j := range k {
				terms[j] = -design.At(i, j) * b.AtVec(j)
			}
			residuals[i] = sum(terms)
		}
	}
	return b.RawVector().Data, residuals, nil
}
