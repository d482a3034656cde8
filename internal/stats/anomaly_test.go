package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// world makes monthly series as a provider's clients have them: a level, growth of -0.6 % to
// 1.4 % a month, a season of a yearly wave of up to 30 % and months of their own of up to
// about 10 %, and noise of 3 % to 18 % (normal, added) or 5 % to 30 % (lognormal, multiplied).
type world struct {
	name      string
	lognormal bool
	rho       float64 // memory of the noise
}

// shocked is one drawn series with at most one shock in it.
type shocked struct {
	y    []float64
	kind stats.ShockKind // empty for none
	at   int
}

// draw makes a series of n months with a shock of size standard deviations of the noise, up
// or down: a spike of the last month or a shift 3 to 12 months before the end.
func (w world) draw(r *rand.Rand, n int, kind stats.ShockKind, size float64) shocked {
	level, growth := math.Exp(4+4*r.Float64()), 0.02*(r.Float64()-0.3)
	wave, phase := 0.3*r.Float64(), 2*math.Pi*r.Float64()
	own, months := 0.1*r.Float64(), [12]float64{}
	for i := range months {
		months[i] = own * r.NormFloat64()
	}
	sigma := 0.05 + 0.25*r.Float64()
	if !w.lognormal {
		sigma *= 0.6
	}
	if r.IntN(2) == 0 {
		size = -size
	}
	s := shocked{y: make([]float64, n), kind: kind, at: n - 1}
	if kind == stats.Shift {
		s.at = n - 3 - r.IntN(10)
	}
	e := r.NormFloat64()
	for i := range s.y {
		v := growth*float64(i) + wave*math.Sin(2*math.Pi*float64(i)/12+phase) + months[i%12] + sigma*e
		if kind != "" && (i == s.at || i > s.at && kind == stats.Shift) {
			v += size * sigma
		}
		if s.y[i] = level * (1 + v); w.lognormal {
			s.y[i] = level * math.Exp(v)
		}
		e = w.rho*e + math.Sqrt(1-w.rho*w.rho)*r.NormFloat64()
	}
	return s
}

var worlds = []world{{"normal, memory 0", false, 0}, {"normal, memory 0.2", false, 0.2}, {"lognormal, memory 0", true, 0}, {"lognormal, memory 0.2", true, 0.2}, {"lognormal, memory 0.5", true, 0.5}}

// shockScore is what was found of what was planted.
type shockScore struct{ rate, spikes, shifts float64 }

// findPlanted draws portfolios of so many series, 15 % with a spike and 15 % with a shift of
// 4 standard deviations, and scores the finds at a rate of 10 %. A shift counts as found when
// its date is at most 2 months off.
func findPlanted(t *testing.T, r *rand.Rand, w world, n, portfolios, each int) shockScore {
	t.Helper()
	var score shockScore
	var spikes, shifts, planted float64
	for range portfolios {
		truth, values := make([]shocked, each), make([][]float64, each)
		for i := range truth {
			kind := map[int]stats.ShockKind{0: stats.Spike, 1: stats.Shift}[i*20/(3*each)]
			truth[i] = w.draw(r, n, kind, 4)
			values[i] = truth[i].y
		}
		finds, judged, err := stats.FindShocks(values, 12, stats.Window{Spikes: 1, Shifts: 12}, 0.1)
		if err != nil || judged != each {
			t.Fatal(judged, err)
		}
		wrong := 0.0
		for _, f := range finds {
			s := truth[f.Series]
			switch off := f.At - s.at; {
			case f.Kind != s.kind || off < -2 || off > 2:
				wrong++
			case f.Kind == stats.Spike:
				spikes++
			default:
				shifts++
			}
		}
		score.rate += wrong / float64(max(1, len(finds))) / float64(portfolios)
		planted += 0.15 * float64(each)
	}
	score.spikes, score.shifts = spikes/planted, shifts/planted
	return score
}

func TestShocksAreFoundAtTheirRate(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(41, 7))
	var mean shockScore
	for _, w := range []world{worlds[1], worlds[3]} {
		s := findPlanted(t, r, w, 48, 4, 80)
		mean = shockScore{mean.rate + s.rate/2, mean.spikes + s.spikes/2, mean.shifts + s.shifts/2}
	}
	t.Logf("false %.3f, of spikes %.2f, of shifts %.2f", mean.rate, mean.spikes, mean.shifts)
	if mean.rate > 0.12 || mean.spikes < 0.8 || mean.shifts < 0.8 {
		t.Errorf("got %+v, want at most 0.12 false (8 portfolios) and 0.8 of each kind found", mean)
	}
}

// TestEvalShocks prints the full table.
func TestEvalShocks(t *testing.T) {
	if testing.Short() || !evaluating() {
		t.Skip("the full table is made by make eval-insight")
	}
	r := rand.New(rand.NewPCG(1999, 4))
	t.Log("series of months: false discovery rate at 0.10; share of 4-sigma spikes and shifts found")
	for _, n := range []int{12, 24, 36, 48} {
		for _, w := range worlds {
			s := findPlanted(t, r, w, n, 10, 200)
			t.Logf("%d %-22s %.3f  %.2f  %.2f", n, w.name, s.rate, s.spikes, s.shifts)
			if s.rate > 0.115 { // 0.10 and three standard errors of ten portfolios
				t.Errorf("%d months, %s: a false discovery rate of %.3f", n, w.name, s.rate)
			}
			if n >= 36 && (s.spikes < 0.8 || s.shifts < 0.8) {
				t.Errorf("%d months, %s: found %.2f of spikes, %.2f of shifts", n, w.name, s.spikes, s.shifts)
			}
		}
	}
}
func evaluating() bool { return true }

var _ = errors.Is
