package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// ShockModel holds what testing series of one length has in common.
type ShockModel struct {
	n      int
	safety float64 // p times this
	grid   []gridPoint
}

// gridPoint is one covariance of season and noise, in units of the noise variance.
type gridPoint struct {
	project []float64 // residual maker of generalized least squares, P, n x n by rows
	spread  float64   // log of |V| and |X'V⁻¹X| to the power -1/2
	weight  float64   // prior weight, 0 to 1
	shift   []float64 // d'Pd of a shift d at each point
}

// The grid of the model, with its prior weights: how strongly a month resembles the one
// before (monthly series of a client usually show about 0.2 to 0.4 [A]), and how much of a
// season there is, as variance over that of the noise: each month on its own, and a yearly
// wave.
var (
	shockMemory = []struct{ rho, weight float64 }{{0, 0.25}, {0.25, 0.4}, {0.5, 0.25}, {0.75, 0.1}}
	shockSeason = []struct{ free, wave float64 }{{0, 0}, {0, 1.5}, {0, 20}, {0.4, 1.5}, {0.4, 20}, {4, 20}, {4, 150}}
)

// shockSafety is by how much p is raised.
const shockSafety = 1.25

// minShock is the least number of points of a ShockModel.
const minShock = 12

// NewShockModel prepares the tests of series of n points with a season of so many steps (1
// for none). n is 12 to 240 (ErrTooFew below).
//
// The model is a line plus a season plus noise that remembers the point before, on the scale
// of the values or, when all are positive, of their logarithms, whichever fits better. Size
// of the season, memory and scale are not chosen but averaged over, weighted by how well
// each explains the series with the shock taken out (restricted likelihood); given them, the
// deviation of a point from what all other points predict is Student's t with n - 3 degrees
// of freedom (an externally studentized residual). That p is then raised by a quarter, since
// simulation showed a tenth to a fifth too many small ones, and doubled below two seasons,
// where a season is a guess. Sources: Harvey & Koopman (1992),
// Diagnostic checking of unobserved-components models, JBES 10; de Jong & Penzer (1998),
// Diagnosing shocks in time series, JASA 93; Cook & Weisberg (1982), Residuals and influence
// in regression, 2.2; averaging: Hoeting et al. (1999), Statistical Science 14.
func NewShockModel(n, period int) (*ShockModel, error) {
	if period < 1 {
		return nil, fmt.Errorf("shocks: a season of %d steps, want 1 or more", period)
	}
	if n < minShock {
		return nil, ErrTooFew
	}
	if n > 240 {
		return nil, fmt.Errorf("shocks: %d points, want at most 240", n)
	}
	m := &ShockModel{n: n, safety: shockSafety}
	if n < 2*period {
		m.safety *= 2
	}
	seasons := shockSeason
	if period == 1 {
		seasons = seasons[:1]
	}
	for _, memory := range shockMemory {
		for _, season := range seasons {
			g, err := newGridPoint(n, period, memory.rho, season.free, season.wave)
			if err != nil {
				return nil, err
			}
			g.weight = memory.weight / float64(len(seasons))
			m.grid = append(m.grid, g)
		}
	}
	return m, nil
}

func newGridPoint(n, period int, rho, free, wave float64) (gridPoint, error) {
	v := mat.NewSymDense(n, nil)
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		x.SetRow(i, []float64{1, 2*float64(i)/float64(n-1) - 1})
		for j := i; j < n; j++ {
			c := math.Pow(rho, float64(j-i)) + wave*math.Cos(2*math.Pi*float64(j-i)/float64(period))
			if (j-i)%period == 0 {
				c += free
			}
			v.SetSym(i, j, c)
		}
	}
	var chol, inner mat.Cholesky
	if !chol.Factorize(v) {
		return gridPoint{}, fmt.Errorf("shocks: the covariance of %d points has no root", n)
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		return gridPoint{}, err
	}
	var vx, xvx, half, projected mat.Dense
	vx.Mul(&inverse, x)
	xvx.Mul(x.T(), &vx)
	if !inner.Factorize(symmetric(&xvx)) {
		return gridPoint{}, fmt.Errorf("shocks: a line through %d points is not determined", n)
	}
	if err := inner.SolveTo(&half, vx.T()); err != nil {
		return gridPoint{}, err
	}
	projected.Mul(&vx, &half)
	projected.Sub(&inverse, &projected)
	g := gridPoint{project: projected.RawMatrix().Data, spread: -(chol.LogDet() + inner.LogDet()) / 2}
	g.shift = shiftSums(g.project, n)
	return g, nil
}

// shiftSums returns, for each point, the sum of P over the points from it on.
func shiftSums(project []float64, n int) []float64 {
	sums := make([]float64, n)
	total := 0.0
	for at := n - 1; at >= 0; at-- {
		row := project[at*n : (at+1)*n]
		total += row[at]
		for _, v := range row[at+1:] {
			total += 2 * v
		}
		sums[at] = total
	}
	return sums
}

func symmetric(d *mat.Dense) *mat.SymDense {
	n, _ := d.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (d.At(i, j)+d.At(j, i))/2)
		}
	}
	return s
}

// maxShocks is how many shocks of one series are taken out before the rest is judged, and
// shockEntry the probability, over all points, below which one is taken out.
const (
	maxShocks  = 4
	shockEntry = 0.01
)

// scale is the values on a scale on which season and noise may add up.
type scale struct {
	z    []float64
	back func(z float64) float64
}

const maxScales = 2

// scalesOf returns the values themselves and, when all are positive, their logarithms times
// the geometric mean, which makes likelihoods on both comparable (Box & Cox 1964).
func scalesOf(y []float64) []scale {
	same := scale{y, func(z float64) float64 { return z }}
	if slices.Min(y) <= 0 {
		return []scale{same}
	}
	z, sum := make([]float64, len(y)), 0.0
	for i, v := range y {
		z[i] = math.Log(v)
		sum += z[i]
	}
	mean := math.Exp(sum / float64(len(y)))
	for i := range z {
		z[i] *= mean
	}
	return []scale{same, {z, func(z float64) float64 { return math.Exp(z / mean) }}}
}

// shockState is the model of one series with the shocks taken out so far.
type shockState struct {
	n       int
	safety  float64
	freedom float64 // of the noise once one more shock is fitted
	scales  []scale
	fits    []shockFit
}

// shockFit is one grid point on one scale.
type shockFit struct {
	gridPoint
	index   int       // of the grid point
	scale   int       // of the values
	e, sums []float64 // P z, and its sum over the points from each on
	squares float64   // z'P z, at least least
	least   float64   // what rounding leaves of the squares of a series without noise
}

// state fits every grid point on every scale. weights are those of the fits, by grid point
// and then by scale; nil takes the prior ones.
func (m *ShockModel) state(scales []scale, weights []float64, taken []Shock) *shockState {
	s := &shockState{n: m.n, safety: m.safety, freedom: float64(m.n - 3 - len(taken)), scales: scales}
	for at, g := range m.grid {
		ok := true
		for _, shock := range taken {
			ok = ok && g.take(shock, m.n)
		}
		if !ok {
			continue
		}
		if len(taken) > 0 {
			g.shift = shiftSums(g.project, m.n)
		}
		for k, scale := range scales {
			if weights != nil {
				g.weight = weights[at*maxScales+k]
			}
			f := shockFit{gridPoint: g, index: at, scale: k, e: make([]float64, m.n), sums: make([]float64, m.n)}
			mean := meanOf(scale.z) // P does not see it, rounding does
			for i := m.n - 1; i >= 0; i-- {
				for j, p := range g.project[i*m.n : (i+1)*m.n] {
					f.e[i] += p * (scale.z[j] - mean)
				}
				f.squares += (scale.z[i] - mean) * f.e[i]
				f.least += leastNoise * math.Pow(scale.z[i]-mean, 2)
				f.sums[i] = f.e[i]
				if i+1 < m.n {
					f.sums[i] += f.sums[i+1]
				}
			}
			f.squares = max(f.squares, f.least)
			s.fits = append(s.fits, f)
		}
	}
	return s
}

// take puts a shock d among the regressors: P loses what Pd explains.
func (g *gridPoint) take(s Shock, n int) bool {
	pd, b := make([]float64, n), 0.0
	end := n
	if s.Kind == Spike {
		end = s.At + 1
	}
	for i := range pd {
		for _, p := range g.project[i*n+s.At : i*n+end] {
			pd[i] += p
		}
		if i >= s.At && i < end {
			b += pd[i]
		}
	}
	if !(b > leastSpread) {
		return false
	}
	next := make([]float64, n*n)
	for i := range pd {
		for j := range pd {
			next[i*n+j] = g.project[i*n+j] - pd[i]*pd[j]/b
		}
	}
	g.project = next
	g.spread -= math.Log(b) / 2
	return true
}

// leastSpread is the least d'Pd of a shock that the other regressors do not already hold,
// leastNoise is the least share of the sum of squares that counts as noise.
const (
	leastSpread = 1e-9
	leastNoise  = 1e-14
)

// evidence returns the log weight of a fit with the shock, its t statistic and its size.
func (f *shockFit) evidence(at int, kind ShockKind, freedom float64) (weight, t, size float64, ok bool) {
	a, b := f.e[at], f.project[at*len(f.e)+at]
	if kind == Shift {
		a, b = f.sums[at], f.shift[at]
	}
	if !(b > leastSpread) {
		return 0, 0, 0, false
	}
	rest := max(f.squares-a*a/b, f.least)
	return math.Log(f.weight) + f.spread - math.Log(b)/2 - freedom/2*math.Log(rest), math.Abs(a) / math.Sqrt(b*rest/freedom), a / b, true
}

// likeliest returns the shock of some kind that explains the series best, at from or later
// and not at one that was taken.
func (s *shockState) likeliest(taken []Shock, from int, kinds ...ShockKind) Shock {
	best, most := Shock{At: from, Kind: kinds[0]}, math.Inf(-1)
	for at := from; at < s.n; at++ {
		if slices.ContainsFunc(taken, func(t Shock) bool { return t.At == at }) {
			continue
		}
		for _, kind := range kinds {
			if kind == Shift && (at < minShift || at > s.n-minShift) {
				continue
			}
			top, sum := math.Inf(-1), 0.0
			for i := range s.fits {
				if w, _, _, ok := s.fits[i].evidence(at, kind, s.freedom); ok {
					if w > top {
						top, sum = w, sum*math.Exp(top-w)+1
					} else {
						sum += math.Exp(w - top)
					}
				}
			}
			if v := top + math.Log(sum); v > most {
				best, most = Shock{At: at, Kind: kind}, v
			}
		}
	}
	return best
}

// test fills Expected, Size and P of a shock.
func (s *shockState) test(y []float64, shock Shock) Shock {
	most, best, size := math.Inf(-1), -1, 0.0
	for i := range s.fits {
		if w, _, v, ok := s.fits[i].evidence(shock.At, shock.Kind, s.freedom); ok && w > most {
			most, best, size = w, i, v
		}
	}
	if best < 0 {
		shock.Expected, shock.P = y[shock.At], 1
		return shock
	}
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: s.freedom}
	total, p := 0.0, 0.0
	for i := range s.fits {
		w, t, _, ok := s.fits[i].evidence(shock.At, shock.Kind, s.freedom)
		if w = math.Exp(w - most); ok && w > 1e-7 {
			total += w
			p += w * 2 * student.Survival(t)
		}
	}
	shock.P = min(1, s.safety*p/total)
	scale := s.scales[s.fits[best].scale]
	shock.Expected = scale.back(scale.z[shock.At] - size)
	shock.Size = y[shock.At] - shock.Expected
	if shock.Kind == Shift {
		shock.Size = 0
		for i := shock.At; i < s.n; i++ {
			shock.Size += (y[i] - scale.back(scale.z[i]-size)) / float64(s.n-shock.At)
		}
	}
	return shock
}
