package insight_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/insight"
)

func TestTheProbabilityOfAnOverrunAgreesWithIndependentNumbers(t *testing.T) {
	t.Parallel()
	six := []float64{0.9, 0.95, 1, 1.1, 1.2, 1.3}
	at := func(f float64) *float64 { return &f }
	for name, c := range map[string]struct {
		worked   float64
		progress *float64
		ratios   []float64
		want     float64 // below 0: none
	}{
		// The t distribution of 5 degrees, integrated numerically (tangent substitution, 200,000
		// steps) around the mean logarithm 0.0639 with scale s·√(7/6):
		// 0.4 · P(E > 55/67.5) + 0.6 · P(R > 55/60) = 0.4 · 0.88074 + 0.6 · 0.81527.
		"own pace and the past":          {45, at(0.4), six, 0.8415},
		"burned without progress":        {70, nil, six, 0.6666}, // 0.65316 ÷ P(R > 0.7)
		"over already":                   {100.5, at(0.9), six, 1},
		"over already, no past":          {100.5, nil, nil, 1},
		"done within":                    {90, at(1), nil, 0},
		"four finished projects":         {45, at(0.4), six[:4], -1},
		"the past never took so many":    {96, nil, []float64{0.5, 0.5, 0.5, 0.5, 0.5}, -1},
		"not begun: the past alone":      {0, at(0), six, 0.6532},
		"all alike and at their pace":    {45, at(0.5), []float64{1, 1, 1, 1, 1}, 0},
		"all alike and ahead of the pay": {55, at(0.5), []float64{1, 1, 1, 1, 1}, 1},
	} {
		p, final, why := insight.Overrun(c.worked, 100, c.progress, c.ratios)
		switch {
		case c.want < 0 && p != nil, c.want >= 0 && (p == nil || math.Abs(*p-c.want) > 1e-4), why == "":
			t.Errorf("%s: got %v (%s), want %v", name, deref(p), why, c.want)
		case final != nil && (final.Low < c.worked || final.Low > final.High):
			t.Errorf("%s: final hours %+v", name, final)
		}
	}
}

func deref(p *float64) any {
	if p == nil {
		return nil
	}
	return *p
}

// The generator: the ratio of a project's hours to its plan is log-normal with mean logarithm
// 0.05 and spread 0.2. A project is looked at when it is done to f, 0.1 to 0.9; how what is left
// goes is the case. The estimand is whether it ends above its budget.
func TestTheProbabilityOfAnOverrunIsCalibrated(t *testing.T) {
	t.Parallel()
	const mu, s = 0.05, 0.2
	for name, c := range map[string]struct {
		// goesOn is how probable it is that what is left goes on at the own pace.
		goesOn func(f float64) float64
		// off is how far the rate of overruns of a bin may be from what was said.
		off float64
		// covered is the part of final hours in the 90 % intervals.
		low, high float64
	}{
		"as assumed: own pace with the probability of the progress": {func(f float64) float64 { return f }, 0.04, 0.87, 0.93},
		"always at its own pace":                                    {func(float64) float64 { return 1 }, 0.16, 0.87, 0.93},
		"always as the finished ones":                               {func(float64) float64 { return 0 }, 0.16, 0.87, 0.93},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(5, 27))
			ratio := func(mean float64) float64 { return math.Exp(mean + s*rnd.NormFloat64()) }
			var said, over, count [5]float64
			in, all := 0, 0
			for range 6000 {
				past := make([]float64, 12)
				for i := range past {
					past[i] = ratio(mu)
				}
				f := 0.1 + 0.8*rnd.Float64()
				pace := ratio(mu)
				worked, rest := f*pace, (1-f)*ratio(mu)
				if rnd.Float64() < c.goesOn(f) {
					rest = (1 - f) * pace * ratio(0)
				}
				p, final, _ := insight.Overrun(100*worked, 100, &f, past)
				if worked > 1 {
					if *p != 1 {
						t.Fatalf("over already with %v", *p)
					}
					continue // certain
				}
				bin := min(4, int(*p*5))
				said[bin], count[bin] = said[bin]+*p, count[bin]+1
				if worked+rest > 1 {
					over[bin]++
				}
				all++
				if h := 100 * (worked + rest); h >= final.Low && h <= final.High {
					in++
				}
			}
			for i := range said {
				if count[i] < 300 {
					t.Fatalf("bin %d has %v projects only", i, count[i])
				}
				mean, rate := said[i]/count[i], over[i]/count[i]
				t.Logf("said %.3f, came out %.3f (%v projects)", mean, rate, count[i])
				if math.Abs(mean-rate) > c.off {
					t.Errorf("said %.3f, came out %.3f", mean, rate)
				}
			}
			covered := float64(in) / float64(all)
			t.Logf("%.3f of final hours lie in the 90 %% interval", covered)
			if covered < c.low || covered > c.high {
				t.Errorf("%.3f of final hours lie in the 90 %% interval", covered)
			}
		})
	}
}

// Without progress: projects of log-normal ratio are looked at when they have burned b of their
// budget and have not ended.
func TestWithoutProgressTheProbabilityIsCalibrated(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(6, 28))
	ratio := func() float64 { return math.Exp(0.05 + 0.2*rnd.NormFloat64()) }
	for _, b := range []float64{0.5, 0.8, 0.95} {
		said, over, n := 0.0, 0.0, 0.0
		for n < 4000 {
			r := ratio()
			if r <= b {
				continue
			}
			past := make([]float64, 12)
			for i := range past {
				past[i] = ratio()
			}
			p, _, why := insight.Overrun(100*b, 100, nil, past)
			if p == nil {
				t.Fatal(why)
			}
			said, n = said+*p, n+1
			if r > 1 {
				over++
			}
		}
		if math.Abs(said-over)/n > 0.03 {
			t.Errorf("burned %v: said %.3f, came out %.3f", b, said/n, over/n)
		}
	}
}
