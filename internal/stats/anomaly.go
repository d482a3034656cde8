package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// ShockKind says what happened to a series at a point.
type ShockKind string

// The kinds. At the last two points a shift cannot be told from a spike: both are Spike.
const (
	Spike ShockKind = "spike" // this point only
	Shift ShockKind = "shift" // from this point on
)

// minShift is how many points a level must have on both sides to be called one.
const minShift = 3

// Shock is one point held against what the rest of its series lets expect.
type Shock struct {
	At   int // index of the point, of a shift the first point of the new level
	Kind ShockKind
	// Expected is the value without the shock, Size the value minus it; of a shift the mean
	// effect on the points from At on. In the unit of the series.
	Expected, Size float64
	// P is the two-sided probability of at least such a deviation when nothing happened. That
	// of a shift is already adjusted for the dates it might have had.
	P float64
}

// Window says which points are judged; the rest are what they are held against. Judging less
// finds more: every further test must be paid for.
type Window struct {
	Spikes int // the last so many points, for spikes; 0 for none
	Shifts int // the last so many points, for the date of a shift; below minShift for none
}

// Judge tests points of y, in time order without gaps, for a spike, and the series for a
// shift of its level. The first results are the spikes in order of time; then comes the most
// likely shift, when there is a date for one (minShift points on both sides). Strong shocks
// anywhere in the series are taken out, the strongest first, before the points are judged, so
// that one does not hide another. A series of equal values gets P 1 throughout; equal values
// but one get P 0 at that one. y must have n values (ErrTooFew). One series alone says little
// about its memory and its season: a P of 0.001 comes up to twice as often as it says.
// FindShocks, which learns them from all series, keeps to it.
func (m *ShockModel) Judge(y []float64, w Window) ([]Shock, error) { return m.judge(y, w, nil) }

func (m *ShockModel) judge(y []float64, w Window, weights []float64) ([]Shock, error) {
	if len(y) != m.n || !finite(y) {
		return nil, ErrTooFew
	}
	if w.Spikes < 0 || w.Spikes > m.n || w.Shifts < 0 || w.Shifts > m.n {
		return nil, fmt.Errorf("shocks: the last %d and %d of %d points", w.Spikes, w.Shifts, m.n)
	}
	first := max(m.n-w.Shifts, minShift) // date of a shift
	dates := max(0, m.n-minShift-first+1)
	if slices.Min(y) == slices.Max(y) {
		var out []Shock
		for i := m.n - w.Spikes; i < m.n; i++ {
			out = append(out, Shock{At: i, Kind: Spike, Expected: y[i], P: 1})
		}
		if dates > 0 {
			out = append(out, Shock{At: first, Kind: Shift, Expected: y[first], P: 1})
		}
		return out, nil
	}
	scales := scalesOf(y)
	taken, rest := m.clean(y, scales, weights)
	// What was taken out is judged beside the others.
	own := func(s Shock) Shock {
		for k, t := range taken {
			if t.At == s.At && t.Kind == s.Kind {
				return m.state(scales, weights, slices.Delete(slices.Clone(taken), k, k+1)).test(y, s)
			}
		}
		return rest.test(y, s)
	}
	var out []Shock
	for i := m.n - w.Spikes; i < m.n; i++ {
		out = append(out, own(Shock{At: i, Kind: Spike}))
	}
	if dates == 0 {
		return out, nil
	}
	shift := Shock{P: 2}
	for _, t := range taken {
		if t.Kind == Shift && t.At >= first {
			if t = own(t); t.P < shift.P {
				shift = t
			}
		}
	}
	if shift.P > 1 {
		shift = rest.test(y, rest.likeliest(taken, first, Shift))
	}
	shift.P = min(1, shift.P*float64(dates))
	return append(out, shift), nil
}

// clean takes out the strong shocks anywhere and returns them with the model of the rest. It
// looks one step ahead: two shocks may hide each other until both are out (Rosner 1983,
// Percentage points for a generalized ESD many-outlier procedure, Technometrics 25).
func (m *ShockModel) clean(y []float64, scales []scale, weights []float64) ([]Shock, *shockState) {
	var taken []Shock
	rest := m.state(scales, weights, nil)
	strong, kept := 0, rest // how many are strong, and the model without them
	for len(taken) < maxShocks && len(taken) < strong+2 {
		best := rest.likeliest(taken, 0, Spike, Shift)
		best = rest.test(y, best)
		taken = append(taken, best)
		passes := best.P*float64(m.n) < shockEntry
		if !passes && (len(taken) == strong+2 || len(taken) == maxShocks) {
			break
		}
		rest = m.state(scales, weights, taken)
		if passes {
			strong, kept = len(taken), rest
		}
	}
	return taken[:strong], kept
}

// Find is a shock of one of many series.
type Find struct {
	Series int // index among the series
	Shock
	Q float64 // P adjusted for all tests of all series (Benjamini-Hochberg)
}

// FindShocks judges many series and returns what is found at the false discovery rate rate
// (0.1 says that one in ten finds is expected to be nothing), the most certain first. period
// and w are those of NewShockModel and Judge; a window longer than a series is cut. Series
// of fewer than 12 points are left out, and judged says how many were not.
//
// What that holds for was measured by simulation, TestEvalShocks holds the generators: level,
// growth, a season and noise with a memory of 0 to 0.5, normal and added or lognormal and
// multiplied. Of spikes of the last month and shifts of the last year, of 4 standard
// deviations of the noise, 80 % and more are found in series of 36 months and more; in
// shorter ones fewer, as a season seen twice is hardly known. When every month is judged,
// about half of the spikes are, and the rate is just reached. docs/series.md has the table.
func FindShocks(series [][]float64, period int, w Window, rate float64) (finds []Find, judged int, err error) {
	if !(rate > 0 && rate < 1) {
		return nil, 0, fmt.Errorf("shocks: a false discovery rate of %v, want between 0 and 1", rate)
	}
	models := map[int]*ShockModel{}
	for i, y := range series {
		if n := len(y); n >= minShock && models[n] == nil {
			if models[n], err = NewShockModel(n, period); err != nil {
				return nil, 0, err
			}
		}
		if !finite(y) {
			return nil, 0, fmt.Errorf("series %d: a value is not a number", i)
		}
	}
	weights := shareWeights(series, models)
	var p []float64
	for i, y := range series {
		n := len(y)
		if n < minShock {
			continue
		}
		shocks, err := models[n].judge(y, Window{min(w.Spikes, n), min(w.Shifts, n)}, weights)
		if err != nil {
			return nil, 0, fmt.Errorf("series %d: %w", i, err)
		}
		judged++
		for _, s := range shocks {
			finds = append(finds, Find{Series: i, Shock: s})
			p = append(p, s.P)
		}
	}
	q, err := BenjaminiHochberg(p)
	if err != nil {
		return nil, 0, err
	}
	for i := range finds {
		finds[i].Q = q[i]
	}
	finds = slices.DeleteFunc(finds, func(f Find) bool { return f.Q > rate })
	slices.SortStableFunc(finds, func(a, b Find) int { return cmp.Compare(a.P, b.P) })
	return finds, judged, nil
}

// priorSeries is how many series the prior weights count as.
const priorSeries = 10

// shareWeights learns from all series together how usual each grid point is on each scale:
// the weights of a mixture under which the series, their strong shocks taken out, are most
// likely, drawn towards the prior ones. They are of use to the short series, which do not
// tell themselves. Source: empirical Bayes by expectation and maximization, Dempster, Laird
// & Rubin (1977), JRSS B 39.
func shareWeights(series [][]float64, models map[int]*ShockModel) []float64 {
	var likelihoods [][]float64 // by series and fit; 0 where a series has no such scale
	var prior []float64
	for _, y := range series {
		m := models[len(y)]
		if m == nil || slices.Min(y) == slices.Max(y) {
			continue
		}
		if prior == nil {
			for _, g := range m.grid {
				for range maxScales {
					prior = append(prior, g.weight/maxScales)
				}
			}
		}
		_, rest := m.clean(y, scalesOf(y), nil)
		logs, top := make([]float64, len(prior)), math.Inf(-1)
		for i := range logs {
			logs[i] = math.Inf(-1)
		}
		for _, f := range rest.fits {
			v := f.spread - (rest.freedom+1)/2*math.Log(f.squares)
			logs[f.index*maxScales+f.scale] = v
			top = max(top, v)
		}
		for i := range logs {
			logs[i] = math.Exp(logs[i] - top)
		}
		likelihoods = append(likelihoods, logs)
	}
	weights := slices.Clone(prior)
	for range 50 {
		next := make([]float64, len(weights))
		for i := range next {
			next[i] = priorSeries * prior[i]
		}
		for _, l := range likelihoods {
			total := 0.0
			for i, v := range l {
				total += weights[i] * v
			}
			for i, v := range l {
				next[i] += weights[i] * v / total
			}
		}
		for i := range next {
			weights[i] = next[i] / (priorSeries + float64(len(likelihoods)))
		}
	}
	return weights
}
