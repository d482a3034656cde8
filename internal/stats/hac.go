package stats

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// HAC returns the interval of the expected value of values in time order that may have a
// memory (this month resembles the last), without a model of it: Newey & West's variance
// with Bartlett weights over 1.3 √n lags, and Student's t with the bias and degrees of
// freedom that this estimate has at so many values and lags (fixed-b asymptotics, here for
// the very n). It needs 24 values (ErrTooFew). Coverage (TestEvalRatioMethods): within 3 points
// up to a memory of 0.2 and 5 short at 0.4; at 12 months it fell 15 short. Sources: Newey & West (1987), Econometrica 55;
// Kiefer & Vogelsang (2005), Econometric Theory 21; bandwidth of Lazarus, Lewis, Stock &
// Watson (2018), JBES 36; degrees of freedom by Satterthwaite's moments as in Sun (2014),
// Journal of Econometrics 178.
func HAC(x []float64, level float64) (Student, error) {
	if err := checkLevel(level); err != nil {
		return Student{}, err
	}
	if len(x) < fewestHAC || !finite(x) {
		return Student{}, ErrTooFew
	}
	e, mean := centered(x)
	se, df := newHAC(len(x), false).error(e)
	return student(mean, se, df, level, len(x), "mean, HAC with fixed-b quantiles"), nil
}

// HACRatio is HAC for the ratio of sums that RatioInterval describes, linearized in the same
// way and, from 12 months on, freed of a yearly wave.
func HACRatio(num, den []float64, level float64) (Student, error) {
	if err := checkLevel(level); err != nil {
		return Student{}, err
	}
	r, e, err := linearized(num, den, fewestHAC)
	if err != nil {
		return Student{}, err
	}
	s := withoutSeason(e)
	se, df := newHAC(len(e), s.wave).error(s.e)
	return student(r+s.shift, se*math.Sqrt(s.wider), df, level, len(e), "ratio of sums, HAC with fixed-b quantiles"), nil
}

const fewestHAC = 24

// hac is Newey and West's estimate for one length of series.
type hac struct {
	weights []float64 // of the autocovariances from lag 0 on
	scale   float64   // what takes out the bias for values without memory
	df      float64
}

func newHAC(n int, wave bool) hac {
	return hacOver(n, min(n-1, int(math.Ceil(1.3*math.Sqrt(float64(n))))), wave)
}

// hacOver returns the estimate for n residuals of a mean, and a yearly wave if there is one,
// with lags Bartlett weights.
func hacOver(n, lags int, wave bool) hac {
	h := hac{weights: make([]float64, lags)}
	for j := range h.weights {
		h.weights[j] = 1 - float64(j)/float64(lags)
	}
	w := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < min(n, i+lags); j++ {
			w.SetSym(i, j, h.weights[j-i])
		}
	}
	m := residualMaker(n, wave)
	var mw, a, a2 mat.Dense
	mw.Mul(m, w)
	a.Mul(&mw, m)
	a2.Mul(&a, &a)
	trace := mat.Trace(&a)
	h.scale = float64(n) / trace
	h.df = trace * trace / mat.Trace(&a2)
	return h
}

// error returns the standard error of the mean whose residuals are e, and its degrees of
// freedom.
func (h hac) error(e []float64) (se, df float64) {
	v := 0.0
	for j, w := range h.weights {
		c := 0.0
		for t := j; t < len(e); t++ {
			c += e[t] * e[t-j]
		}
		if j > 0 {
			c *= 2
		}
		v += w * c
	}
	n := float64(len(e))
	return math.Sqrt(max(0, v*h.scale)) / n, h.df
}

// residualMaker returns the projection that takes the mean, and a yearly wave, out of n
// values.
func residualMaker(n int, wave bool) *mat.Dense {
	x := waveDesign(n, wave)
	var xtx, inverse, part, hat mat.Dense
	xtx.Mul(x.T(), x)
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	if inverse.Inverse(&xtx) != nil { // cannot be: a constant and a wave over a year differ
		return m
	}
	part.Mul(x, &inverse)
	hat.Mul(&part, x.T())
	m.Sub(m, &hat)
	return m
}

// waveDesign has a column of ones and, with a wave, cos and sin of the yearly angle.
func waveDesign(n int, wave bool) *mat.Dense {
	if !wave {
		ones := mat.NewDense(n, 1, nil)
		for t := range n {
			ones.Set(t, 0, 1)
		}
		return ones
	}
	x := mat.NewDense(n, 3, nil)
	for t := range n {
		angle := 2 * math.Pi * float64(t) / wholeYear
		x.SetRow(t, []float64{1, math.Cos(angle), math.Sin(angle)})
	}
	return x
}
