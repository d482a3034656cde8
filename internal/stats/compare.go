package stats

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// ErrUnclear says that the lower half of a ratio may be 0, so that the ratio has no bounds.
var ErrUnclear = errors.New("the denominator may be 0")

// Test is the outcome of a test of "no difference".
type Test struct {
	Statistic float64
	P         float64 // two-sided
	Exact     bool    // P counts all orders instead of approximating
}

// Welch returns the difference of the means of two groups of independent values, first
// less second in their unit, with the interval and test that let the groups have different
// variances. Each group needs 2 values (ErrTooFew); ErrConstant when neither varies. Source:
// Welch (1947), Biometrika 34.
func Welch(x, y []float64, level float64) (Student, Test, error) {
	a, err := Mean(x, level)
	if err != nil {
		return Student{}, Test{}, err
	}
	b, err := Mean(y, level)
	if err != nil {
		return Student{}, Test{}, err
	}
	d := Difference(a, b)
	if d.SE == 0 {
		return Student{}, Test{}, ErrConstant
	}
	t := d.Estimate / d.SE
	return d, Test{Statistic: t, P: twoSidedT(t, d.DF)}, nil
}

// Difference returns a less b of two independent estimates in one unit, at the level of a.
// The degrees of freedom are those of Satterthwaite (1946), Biometrics Bulletin 2.
func Difference(a, b Student) Student {
	va, vb := a.SE*a.SE, b.SE*b.SE
	v := va + vb
	df := a.DF + b.DF
	if v > 0 {
		df = v * v / (va*va/a.DF + vb*vb/b.DF)
	}
	return student(a.Estimate-b.Estimate, math.Sqrt(v), df, a.Level, a.N+b.N, "Welch's t")
}

// Over returns the ratio a / b of two independent estimates, both of any unit, at the level
// of a. It needs a positive b whose interval at that level is clear of 0 (ErrUnclear): else
// the ratio has no bounded interval. Source: Fieller (1954), JRSS B 16, with Satterthwaite's
// degrees of freedom at the estimate.
func Over(a, b Student) (Interval, error) {
	if !(b.Estimate > 0) {
		return Interval{}, ErrUnclear
	}
	r := a.Estimate / b.Estimate
	scaled := Student{Interval: b.Interval, SE: math.Abs(r) * b.SE, DF: b.DF}
	q := tQuantile(0.5+a.Level/2, Difference(a, scaled).DF)
	g := q * b.SE / b.Estimate
	g *= g
	if !(g < 1) {
		return Interval{}, ErrUnclear
	}
	half := q / b.Estimate * math.Sqrt(a.SE*a.SE*(1-g)+r*r*b.SE*b.SE)
	return Interval{r, (r - half) / (1 - g), (r + half) / (1 - g), a.Level, a.N + b.N, "Fieller"}, nil
}

// ShareDifference returns the difference of two independent shares, k1/n1 less k2/n2.
// Each needs a trial (ErrTooFew). Source: Newcombe (1998), Statistics in Medicine 17, method
// 10: the score intervals of both, combined.
func ShareDifference(k1, n1, k2, n2 int, level float64) (Interval, error) {
	a, err := Wilson(k1, n1, level)
	if err != nil {
		return Interval{}, err
	}
	b, err := Wilson(k2, n2, level)
	if err != nil {
		return Interval{}, err
	}
	d := a.Estimate - b.Estimate
	low := d - math.Hypot(a.Estimate-a.Low, b.High-b.Estimate)
	high := d + math.Hypot(a.High-a.Estimate, b.Estimate-b.Low)
	return Interval{d, low, high, level, n1 + n2, "Newcombe hybrid score"}, nil
}

// MannWhitney tests whether values of one of two groups tend to be larger (the rank-sum
// test of Wilcoxon). The statistic counts the pairs in which x is larger, ties by half. Each
// group needs a value (ErrTooFew). P counts all orders when both groups have fewer than 50
// values without ties; else it is normal with the variance that ties leave and a
// correction for continuity. Source: Mann & Whitney (1947); Hollander & Wolfe (1999), 4.1.
func MannWhitney(x, y []float64) (Test, error) {
	n1, n2 := len(x), len(y)
	if n1 < 1 || n2 < 1 || !finite(x, y) {
		return Test{}, ErrTooFew
	}
	r, ties := ranks(slices.Concat(x, y))
	a, b := float64(n1), float64(n2)
	w := sum(r[:n1]) - a*(a+1)/2
	if len(ties) == 0 && n1 < 50 && n2 < 50 {
		return Test{w, mannWhitneyExact(n1, n2, int(math.Round(w))), true}, nil
	}
	n := a + b
	tied := 0.0
	for _, t := range ties {
		tied += math.Pow(float64(t), 3) - float64(t)
	}
	variance := a * b / 12 * (n + 1 - tied/(n*(n-1)))
	if variance <= 0 {
		return Test{}, ErrConstant
	}
	z := w - a*b/2
	z -= 0.5 * sign(z)
	return Test{Statistic: w, P: min(1, twoSidedZ(z/math.Sqrt(variance)))}, nil
}

// mannWhitneyExact returns the two-sided p of u, doubling the smaller tail as R does.
func mannWhitneyExact(n1, n2, u int) float64 {
	most := n1 * n2
	// counts[i][u]: the ways in which i of the first group have u of the second before them,
	// i numbers from 0 to n2 that add up to u.
	counts := make([][]float64, n1+1)
	for i := range counts {
		counts[i] = make([]float64, most+1)
	}
	counts[0][0] = 1
	for j := 0; j <= n2; j++ {
		for i := 1; i <= n1; i++ {
			for v := j; v <= most; v++ {
				counts[i][v] += counts[i-1][v-j]
			}
		}
	}
	total := 0.0
	for _, c := range counts[n1] {
		total += c
	}
	low, high := 0.0, 0.0
	for v, c := range counts[n1] {
		if v <= u {
			low += c
		}
		if v >= u {
			high += c
		}
	}
	return min(1, 2*min(low, high)/total)
}

// KruskalWallis tests whether the groups have one distribution; it is MannWhitney for any
// number of groups. It needs 2 groups, each with a value; ErrConstant when all are equal.
// The p of the chi-squared distribution is good from 5 values a group on. Source: Kruskal &
// Wallis (1952), JASA 47, with the correction for ties.
func KruskalWallis(groups [][]float64) (Test, error) {
	var all []float64
	for _, g := range groups {
		if len(g) == 0 {
			return Test{}, ErrTooFew
		}
		all = append(all, g...)
	}
	if len(groups) < 2 || !finite(all) {
		return Test{}, ErrTooFew
	}
	r, ties := ranks(all)
	n, from, h := float64(len(all)), 0, 0.0
	for _, g := range groups {
		s := sum(r[from : from+len(g)])
		h += s * s / float64(len(g))
		from += len(g)
	}
	tied := 0.0
	for _, t := range ties {
		tied += math.Pow(float64(t), 3) - float64(t)
	}
	correction := 1 - tied/(n*n*n-n)
	if !(correction > 0) {
		return Test{}, ErrConstant
	}
	h = (12*h/(n*(n+1)) - 3*(n+1)) / correction
	return Test{Statistic: h, P: mathext.GammaIncRegComp(float64(len(groups)-1)/2, max(0, h)/2)}, nil
}
