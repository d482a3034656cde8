package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// world makes monthly series as a provider's clients have them: a level, growth of -0.6 % to
// 1.4 % a month, a season of a yearly wave of up to 30 % and single months that stand out by
// up to 5 % (rough: 10 %), and noise of 3 % to 18 % (normal, added) or 5 % to 30 % (lognormal, multiplied).
type world struct {
	name      string
	lognormal bool
	rho       float64 // memory of the noise
	rough     bool
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
	at := n - 1
	if kind == stats.Shift {
		at = n - 3 - r.IntN(min(10, n-5))
	}
	return w.drawAt(r, n, kind, size, at)
}

// drawAt puts the shock at a given month.
func (w world) drawAt(r *rand.Rand, n int, kind stats.ShockKind, size float64, at int) shocked {
	level, growth := math.Exp(4+4*r.Float64()), 0.02*(r.Float64()-0.3)
	wave, phase := 0.3*r.Float64(), 2*math.Pi*r.Float64()
	own, months := 0.05*r.Float64(), [12]float64{}
	if w.rough {
		own *= 2
	}
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
	s := shocked{y: make([]float64, n), kind: kind, at: at}
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

var worlds = []world{
	{"normal, memory 0", false, 0, false},
	{"normal, memory 0.2", false, 0.2, false},
	{"lognormal, memory 0", true, 0, false},
	{"lognormal, memory 0.2", true, 0.2, false},
	{"lognormal, memory 0.5", true, 0.5, false},
	{"normal, memory 0.2, rough", false, 0.2, true},
	{"lognormal, memory 0.2, rough", true, 0.2, true},
}

// shockScore is what was found of what was planted.
type shockScore struct{ rate, spikes, shifts float64 }

// findPlanted draws portfolios of so many series, 15 % with a spike and 15 % with a shift of
// 4 standard deviations, and scores the finds at a rate of 10 %: spikes of the last month,
// shifts of the last year, or both anywhere in the series. A shift counts as found when its
// date is at most 2 months off, and anything else in a series with a shock as false.
func findPlanted(t *testing.T, r *rand.Rand, w world, n, portfolios, each int, anywhere bool) shockScore {
	t.Helper()
	var score shockScore
	var spikes, shifts, planted float64
	for range portfolios {
		truth, values := make([]shocked, each), make([][]float64, each)
		for i := range truth {
			kind := map[int]stats.ShockKind{0: stats.Spike, 1: stats.Shift}[i*20/(3*each)]
			if truth[i] = w.draw(r, n, kind, 4); anywhere && kind == stats.Spike {
				truth[i] = w.drawAt(r, n, kind, 4, r.IntN(n))
			}
			values[i] = truth[i].y
		}
		window := stats.Window{Spikes: 1, Shifts: 12}
		if anywhere {
			window = stats.Window{Spikes: n, Shifts: n}
		}
		finds, judged, err := stats.FindShocks(values, 12, window, 0.1)
		if err != nil || judged != each {
			t.Fatal(judged, err)
		}
		wrong := 0.0
		for _, f := range finds {
			s := truth[f.Series]
			switch off := f.At - s.at; {
			case f.Kind != s.kind || off < -2 || off > 2 || off != 0 && f.Kind == stats.Spike:
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
		s := findPlanted(t, r, w, 48, 4, 80, false)
		mean = shockScore{mean.rate + s.rate/2, mean.spikes + s.spikes/2, mean.shifts + s.shifts/2}
	}
	t.Logf("false %.3f, of spikes %.2f, of shifts %.2f", mean.rate, mean.spikes, mean.shifts)
	if mean.rate > 0.12 || mean.spikes < 0.8 || mean.shifts < 0.8 {
		t.Errorf("got %+v, want at most 0.12 false (8 portfolios) and 0.8 of each kind found", mean)
	}
}

// TestEvalShocks prints the full table.
func TestEvalShocks(t *testing.T) {
	full(t)
	r := rand.New(rand.NewPCG(1999, 4))
	t.Log("months, generator: false discovery rate at 0.10; share found of 4-sigma spikes and of 4-sigma shifts")
	for _, n := range []int{12, 24, 36, 48} {
		var mean shockScore
		for _, w := range worlds {
			s := findPlanted(t, r, w, n, 8, 200, false)
			t.Logf("%d %-28s %.3f  %.2f  %.2f", n, w.name, s.rate, s.spikes, s.shifts)
			mean.rate += s.rate / float64(len(worlds))
			if !w.rough { // five of seven; a rough season asks for more than 36 months
				mean.spikes, mean.shifts = mean.spikes+s.spikes/5, mean.shifts+s.shifts/5
			}
			if n >= 24 && s.rate > 0.15 { // one generator alone, 8 portfolios; of 12 months there are few finds
				t.Errorf("%d months, %s: a false discovery rate of %.3f", n, w.name, s.rate)
			}
		}
		t.Logf("%d %-28s %.3f  %.2f  %.2f", n, "mean (found: not rough)", mean.rate, mean.spikes, mean.shifts)
		if mean.rate > 0.10 {
			t.Errorf("%d months: a false discovery rate of %.3f, want at most 0.10", n, mean.rate)
		}
		if n >= 36 && (mean.spikes < 0.8 || mean.shifts < 0.8) {
			t.Errorf("%d months: found %.2f of spikes and %.2f of shifts, want 0.8 of each", n, mean.spikes, mean.shifts)
		}
	}
}

// TestEvalShocksAnywhere prints what judging every point of every series costs.
func TestEvalShocksAnywhere(t *testing.T) {
	full(t)
	r := rand.New(rand.NewPCG(2001, 4))
	t.Log("every month of 48 judged: false discovery rate at 0.10; share found of 4-sigma spikes and of 4-sigma shifts")
	var rate float64
	for _, w := range worlds {
		s := findPlanted(t, r, w, 48, 4, 200, true)
		t.Logf("%-28s %.3f  %.2f  %.2f", w.name, s.rate, s.spikes, s.shifts)
		rate += s.rate / float64(len(worlds))
	}
	if t.Logf("mean %.3f", rate); rate > 0.13 {
		t.Errorf("a false discovery rate of %.3f", rate)
	}
}

// full skips a simulation that is too long for every run.
func full(t *testing.T) {
	t.Helper()
	if os.Getenv("MOAT_SOAK") == "" {
		t.Skip("full repetitions: make eval-insight")
	}
}

func TestShocksAgreeWithGeneralizedLeastSquares(t *testing.T) {
	t.Parallel()
	// Made independently with numpy: for each memory the t statistic of the shock beside a
	// constant and a slope, averaged with restricted likelihoods (no season, a negative value
	// so that there is no logarithm). The model raises p by a quarter.
	y := []float64{3, -1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 27}
	m, err := stats.NewShockModel(len(y), 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Judge(y, stats.Window{Spikes: len(y)})
	if err != nil || len(got) != len(y) {
		t.Fatal(got, err)
	}
	near(t, "p of the last", got[13].P/1.25/9.824859925126376e-05, 1, 1e-8)
	near(t, "expected of the last", got[13].Expected, 7.923076923076923, 1e-8)
	near(t, "p of the sixth beside it", got[5].P/1.25, 0.03141552947925779, 1e-10)
}

func TestShocksOfStillSeries(t *testing.T) {
	t.Parallel()
	m, err := stats.NewShockModel(24, 12)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, 24)
	for i := range y {
		y[i] = 25
	}
	got, err := m.Judge(y, stats.Window{Spikes: 2, Shifts: 12})
	if err != nil || len(got) != 3 || got[0].P != 1 || got[1].P != 1 || got[2].P != 1 || got[2].Kind != stats.Shift {
		t.Errorf("equal values: got %+v, %v", got, err)
	}
	y[23] = 26
	if got, err = m.Judge(y, stats.Window{Spikes: 1}); err != nil || got[0].P > 1e-12 || math.Abs(got[0].Expected-25) > 1e-6 || math.Abs(got[0].Size-1) > 1e-6 {
		t.Errorf("equal values but the last: got %+v, %v", got, err)
	}
}

func TestShocksOfALine(t *testing.T) {
	t.Parallel()
	m, err := stats.NewShockModel(24, 12)
	if err != nil {
		t.Fatal(err)
	}
	y := make([]float64, 24)
	for i := range y {
		y[i] = 0.1 * float64(10007+3*i)
	}
	w := stats.Window{Spikes: 24, Shifts: 24}
	got, err := m.Judge(y, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got {
		if !(s.P > 0.05) {
			t.Errorf("a line without noise: %+v", s)
		}
	}
	y[20] += 1
	if got, err = m.Judge(y, w); err != nil || got[20].P > 1e-12 || math.Abs(got[20].Size-1) > 1e-3 {
		t.Errorf("a line with one spike: %+v, %v", got[20], err)
	}
	if finds, _, err := stats.FindShocks([][]float64{y, y[:20], y[:12]}, 12, w, 0.1); err != nil || len(finds) != 1 || finds[0].At != 20 || finds[0].Kind != stats.Spike {
		t.Errorf("got %+v, %v, want the spike alone", finds, err)
	}
}

func TestShocksKeepTheirUnit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	m, err := stats.NewShockModel(30, 12)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s := worlds[3].draw(r, 30, stats.Spike, 5)
		cents := make([]float64, len(s.y))
		for i, v := range s.y {
			cents[i] = 100 * v
		}
		w := stats.Window{Spikes: 12, Shifts: 20}
		a, err := m.Judge(s.y, w)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Judge(cents, w)
		if err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if a[i].At != b[i].At || math.Abs(a[i].P-b[i].P) > 1e-6*a[i].P || math.Abs(100*a[i].Size-b[i].Size) > 1e-6*math.Abs(b[i].Size) {
				t.Fatalf("in hundredths %+v became %+v", a[i], b[i])
			}
			if a[i].Kind == stats.Spike && math.Abs(a[i].Expected+a[i].Size-s.y[a[i].At]) > 1e-9*s.y[a[i].At] {
				t.Fatalf("%+v does not add up to %v", a[i], s.y[a[i].At])
			}
		}
	}
}

func TestOneShockDoesNotHideAnother(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(12, 1))
	m, err := stats.NewShockModel(36, 12)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	const runs = 30
	for range runs {
		y := worlds[0].draw(r, 36, "", 0).y
		mean := 0.0
		for _, v := range y {
			mean += v / 36
		}
		y[9], y[20], y[35] = y[9]+2*mean, y[20]+2*mean, y[35]+2*mean
		got, err := m.Judge(y, stats.Window{Spikes: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].P < 0.001 {
			found++
		}
	}
	if found < runs*8/10 {
		t.Errorf("found %d of %d spikes beside two others", found, runs)
	}
}

func TestShocksRefuseNonsense(t *testing.T) {
	t.Parallel()
	if _, err := stats.NewShockModel(11, 12); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("11 months: got %v, want ErrTooFew", err)
	}
	if _, err := stats.NewShockModel(24, 0); err == nil {
		t.Error("a season of no steps was accepted")
	}
	if _, err := stats.NewShockModel(241, 12); err == nil {
		t.Error("241 points were accepted")
	}
	m, err := stats.NewShockModel(12, 12)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Judge(make([]float64, 13), stats.Window{}); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("another length: got %v, want ErrTooFew", err)
	}
	if _, err := m.Judge(make([]float64, 12), stats.Window{Spikes: 13}); err == nil {
		t.Error("a window longer than the series was accepted")
	}
	nan := make([]float64, 12)
	nan[3] = math.NaN()
	if _, _, err := stats.FindShocks([][]float64{nan}, 12, stats.Window{Spikes: 1}, 0.1); err == nil {
		t.Error("a value of NaN was accepted")
	}
	if _, _, err := stats.FindShocks(nil, 12, stats.Window{Spikes: 1}, 1); err == nil {
		t.Error("a rate of 1 was accepted")
	}
	finds, judged, err := stats.FindShocks([][]float64{make([]float64, 5), make([]float64, 12), nil}, 12, stats.Window{Spikes: 99, Shifts: 99}, 0.1)
	if err != nil || judged != 1 || len(finds) != 0 {
		t.Errorf("short and still series: got %v, %d, %v", finds, judged, err)
	}
}
