package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// fewestPairs is the number of pairs below which a correlation says nothing.
const fewestPairs = 5

// Association is a coefficient of correlation, -1 to 1 without unit, with its interval and
// its test.
type Association struct {
	Interval
	Statistic float64 // t (Pearson, Spearman) or z (Kendall) of "no association"
	P         float64 // two-sided p of "no association"
	Exact     bool    // P counts all orders instead of approximating
}

func checkPairs(x, y []float64, level float64) error {
	if err := checkLevel(level); err != nil {
		return err
	}
	if len(x) != len(y) || len(x) < fewestPairs || !finite(x, y) {
		return ErrTooFew
	}
	if slices.Min(x) == slices.Max(x) || slices.Min(y) == slices.Max(y) {
		return ErrConstant
	}
	return nil
}

// fisher makes an interval on the scale of atanh, where the coefficient's standard error
// is se. A perfect correlation has no width there; one of ranks, which comes in steps, is
// taken to be half a step less.
func fisher(r, se, halfStep, level float64, n int, method string) Interval {
	z := math.Atanh(max(-1+halfStep, min(1-halfStep, r)))
	q := distuv.UnitNormal.Quantile(0.5 + level/2)
	if math.IsInf(z, 0) {
		return Interval{r, r, r, level, n, method}
	}
	return Interval{r, min(r, math.Tanh(z-q*se)), max(r, math.Tanh(z+q*se)), level, n, method}
}

// pearson returns the product-moment coefficient.
func pearson(x, y []float64) float64 {
	dx, _ := centered(x)
	dy, _ := centered(y)
	products := make([]float64, len(x))
	for i := range products {
		products[i] = dx[i] * dy[i]
	}
	r := sum(products) / math.Sqrt(squaresAround(dx)) / math.Sqrt(squaresAround(dy))
	return min(1, max(-1, r))
}

// withT tests a coefficient with Student's t of df degrees of freedom.
func withT(i Interval, df float64) Association {
	t := i.Estimate * math.Sqrt(df/((1-i.Estimate)*(1+i.Estimate)))
	return Association{Interval: i, Statistic: t, P: twoSidedT(t, df)}
}

// Pearson returns the linear correlation of pairs with Fisher's interval. It needs 5 pairs
// (ErrTooFew) that vary (ErrConstant). Coverage of the interval is nominal within 3 points
// for roughly normal values from 8 pairs on (at 5 it is 6 over at 50 %); heavy tails make it too narrow, for which
// Correlate warns and Spearman is meant. Sources: Fisher (1921), Metron 1; test by t(n−2).
func Pearson(x, y []float64, level float64) (Association, error) {
	if err := checkPairs(x, y, level); err != nil {
		return Association{}, err
	}
	n := len(x)
	i := fisher(pearson(x, y), 1/math.Sqrt(float64(n-3)), 0, level, n, "Pearson, Fisher's z")
	return withT(i, float64(n-2)), nil
}

// Spearman returns the rank correlation of pairs; ties have their mean rank. It needs 5
// pairs that vary. The interval is that of Bonett & Wright, nominal within 4 points from 8
// pairs on and a rough guide at 5 to 7, where ranks come in few steps; P counts all orders up to 9 pairs without ties, else it uses t(n−2). Sources: Bonett & Wright (2000), Psychometrika
// 65, standard error of atanh √((1 + r²/2) / (n − 3)); Best & Roberts (1975), AS 89.
func Spearman(x, y []float64, level float64) (Association, error) {
	if err := checkPairs(x, y, level); err != nil {
		return Association{}, err
	}
	n := len(x)
	rx, tiesX := ranks(x)
	ry, tiesY := ranks(y)
	r := pearson(rx, ry)
	m := float64(n)
	i := fisher(r, math.Sqrt((1+r*r/2)/(m-3)), 6/(m*(m*m-1)), level, n, "Spearman, Bonett & Wright")
	a := withT(i, float64(n-2))
	if n <= 9 && len(tiesX) == 0 && len(tiesY) == 0 {
		a.P, a.Exact = spearmanExact(rx, ry), true
	}
	return a, nil
}

// ranks returns the ranks from 1, ties sharing their mean, and the size of each tie.
func ranks(x []float64) (r []float64, ties []int) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	r = make([]float64, len(x))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			r[i] = float64(from+to+1) / 2
		}
		if to-from > 1 {
			ties = append(ties, to-from)
		}
		from = to
	}
	return r, ties
}

// spearmanExact returns the share of all orders of ry whose sum of squared rank differences
// lies as far from its mean, doubled tail as in R.
func spearmanExact(rx, ry []float64) float64 {
	n := len(rx)
	observed := 0.0
	for i := range rx {
		observed += (rx[i] - ry[i]) * (rx[i] - ry[i])
	}
	seen := int(math.Round(observed))
	low, high, all := 0, 0, 0
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	var walk func(k, d int)
	walk = func(k, d int) {
		if k == n {
			all++
			if d <= seen {
				low++
			}
			if d >= seen {
				high++
			}
			return
		}
		for i := k; i < n; i++ {
			perm[k], perm[i] = perm[i], perm[k]
			walk(k+1, d+(k-perm[k])*(k-perm[k]))
			perm[k], perm[i] = perm[i], perm[k]
		}
	}
	walk(0, 0)
	return min(1, 2*float64(min(low, high))/float64(all))
}

// Kendall returns tau-b: concordant less discordant pairs of pairs, corrected for ties. It
// needs 5 pairs that vary. P counts all orders below 50 pairs without ties, else it is
// normal with the variance that ties leave. The interval is nominal within 5 points from 12
// pairs on, a rough guide below. Sources: Kendall (1970), Rank Correlation
// Methods, 4.4-4.7; interval of Fieller, Hartley & Pearson (1957), Biometrika 44: standard
// error of atanh √(0.437 / (n − 4)).
func Kendall(x, y []float64, level float64) (Association, error) {
	if err := checkPairs(x, y, level); err != nil {
		return Association{}, err
	}
	n := len(x)
	score := 0.0
	for i := range x {
		for j := i + 1; j < n; j++ {
			score += sign(x[j]-x[i]) * sign(y[j]-y[i])
		}
	}
	_, tiesX := ranks(x)
	_, tiesY := ranks(y)
	m := float64(n)
	pairs := m * (m - 1) / 2
	x1, x2, x3 := tieSums(tiesX)
	y1, y2, y3 := tieSums(tiesY)
	tau := score / math.Sqrt(pairs-x1/2) / math.Sqrt(pairs-y1/2)
	tau = min(1, max(-1, tau))
	variance := (m*(m-1)*(2*m+5)-x3-y3)/18 + x1*y1/(2*m*(m-1)) + x2*y2/(9*m*(m-1)*(m-2))
	a := Association{Statistic: score / math.Sqrt(variance)}
	a.P = twoSidedZ(a.Statistic)
	if n < 50 && len(tiesX) == 0 && len(tiesY) == 0 {
		a.P, a.Exact = kendallExact(n, int(math.Round(score))), true
	}
	a.Interval = fisher(tau, math.Sqrt(0.437/(m-4)), 1/pairs, level, n, "Kendall tau-b, Fieller, Hartley & Pearson")
	return a, nil
}

// tieSums returns the sums of t(t-1), t(t-1)(t-2) and t(t-1)(2t+5) over ties.
func tieSums(ties []int) (two, three, five float64) {
	for _, tie := range ties {
		t := float64(tie)
		two += t * (t - 1)
		three += t * (t - 1) * (t - 2)
		five += t * (t - 1) * (2*t + 5)
	}
	return two, three, five
}

// kendallExact returns the two-sided p of a score under all orders of n, from the
// distribution of the number of inversions.
func kendallExact(n, score int) float64 {
	most := n * (n - 1) / 2
	p := make([]float64, most+1)
	p[0] = 1
	for k := 2; k <= n; k++ { // the k-th value adds 0 to k-1 inversions, each as likely
		next := make([]float64, most+1)
		window := 0.0
		for d := 0; d <= k*(k-1)/2; d++ {
			window += p[d]
			if d >= k {
				window -= p[d-k]
			}
			next[d] = window / float64(k)
		}
		p = next
	}
	concordant := (most + score) / 2
	low, high := 0.0, 0.0
	for d, v := range p {
		if d <= concordant {
			low += v
		}
		if d >= concordant {
			high += v
		}
	}
	return min(1, 2*min(low, high))
}

// Partial returns the linear correlation of x and y that is left when what the controls
// explain of both is taken out. It needs 5 pairs more than controls; ErrCollinear and
// ErrConstant say what else is wrong. Source: Fisher (1924), Metron 3: as Pearson with as
// many pairs less as there are controls.
func Partial(x, y []float64, controls [][]float64, level float64) (Association, error) {
	if err := checkPairs(x, y, level); err != nil {
		return Association{}, err
	}
	n, k := len(x), len(controls)
	if n < fewestPairs+k {
		return Association{}, ErrTooFew
	}
	if k == 0 {
		return Pearson(x, y, level)
	}
	rx, err := Regress(x, controls, level)
	if err != nil {
		return Association{}, err
	}
	ry, err := Regress(y, controls, level)
	if err != nil {
		return Association{}, err
	}
	if rx.R2 > 1-1e-14 || ry.R2 > 1-1e-14 {
		return Association{}, ErrConstant
	}
	r := pearson(rx.Residuals, ry.Residuals)
	i := fisher(r, 1/math.Sqrt(float64(n-3-k)), 0, level, n, "partial, Fisher's z")
	return withT(i, float64(n-2-k)), nil
}
