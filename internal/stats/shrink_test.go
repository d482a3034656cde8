package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

func TestShrinkageGoldenVectors(t *testing.T) {
	t.Parallel()
	// domain reference 7.2
	beta := stats.BetaPrior{A: 18, B: 2}
	for _, c := range []struct {
		k, n int
		want float64
	}{{3, 3, 0.913}, {18, 20, 0.900}, {1, 2, 0.864}} {
		p, err := beta.Posterior(c.k, c.n, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "share", p.Estimate, c.want, 0.0005)
		near(t, "below the low end", p.Below(p.Low), 0.05, 1e-6)
		near(t, "below the high end", p.Below(p.High), 0.95, 1e-6)
	}
	normal := stats.NormalPrior{Mu: 0.42, Tau: 0.10}
	p, err := normal.Posterior(-0.20, 0.25/math.Sqrt(2), 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "weight", p.Weight, 0.242, 0.0005)
	near(t, "mean", p.Estimate, 0.270, 0.0005)
	near(t, "sd", p.SD, 0.087, 0.0005)
	if p, err = normal.Posterior(-0.05, 0.25/math.Sqrt(24), 0.9); err != nil {
		t.Fatal(err)
	}
	near(t, "weight", p.Weight, 0.793, 0.0005)
	near(t, "mean", p.Estimate, 0.047, 0.0006)
	near(t, "sd", p.SD, 0.045, 0.0006)
	near(t, "P(<0)", p.Below(0), 0.150, 0.002)
}

// The eight schools of Rubin (1981), Journal of Educational Statistics 6.
var schools, schoolSE = []float64{28, 8, -3, 7, -1, 1, 18, 12}, []float64{15, 10, 16, 11, 9, 11, 10, 18}

func TestBetweenVarianceAgreesWithPublishedValues(t *testing.T) {
	t.Parallel()
	near(t, "eight schools, DerSimonian-Laird", stats.DerSimonianLaird(schools, schoolSE), 0, 1e-12)
	near(t, "eight schools, Paule-Mandel", stats.PauleMandel(schools, schoolSE), 0, 1e-12)
	// With equal errors both are the variance of the values less the error, by hand.
	values, se := []float64{1, 4, 7, 10, 13}, []float64{2, 2, 2, 2, 2}
	near(t, "DerSimonian-Laird", stats.DerSimonianLaird(values, se), 22.5-4, 1e-9)
	near(t, "Paule-Mandel", stats.PauleMandel(values, se), 22.5-4, 1e-9)
	p, err := stats.FitNormal(values, se, stats.PauleMandel)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", p.Mu, 7, 1e-12)
	near(t, "tau", p.Tau, math.Sqrt(22.5-4), 1e-9)
}

func TestFittedPriorsFindTheirParameters(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	const members = 1500
	var k, n, events []int
	var exposure []float64
	for i := range members {
		trials := 3 + i%20
		p := betaDraw(rnd, 6, 2)
		hits := 0
		for range trials {
			if rnd.Float64() < p {
				hits++
			}
		}
		k, n = append(k, hits), append(n, trials)
		e := 5 + float64(i%30)
		exposure = append(exposure, e)
		events = append(events, poisson(rnd, e*gammaDraw(rnd, 3)/10))
	}
	for name, fit := range map[string]func([]int, []int) (stats.BetaPrior, error){"moments": stats.FitBeta, "likelihood": stats.FitBetaML} {
		p, err := fit(k, n)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "A by "+name, p.A, 6, 0.9)
		near(t, "B by "+name, p.B, 2, 0.3)
	}
	for name, fit := range map[string]func([]int, []float64) (stats.GammaPrior, error){"moments": stats.FitGamma, "likelihood": stats.FitGammaML} {
		p, err := fit(events, exposure)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "shape by "+name, p.Shape, 3, 0.5)
		near(t, "exposure by "+name, p.Exposure, 10, 1.7)
		post, err := p.Posterior(4, 7, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "posterior rate", post.Estimate, (4+p.Shape)/(7+p.Exposure), 1e-12)
		near(t, "below the high end", post.Below(post.High), 0.95, 1e-6)
	}
}

func TestMembersThatDoNotDifferAreDrawnToTheirMean(t *testing.T) {
	t.Parallel()
	p, err := stats.FitBeta([]int{5, 10, 15, 20}, []int{10, 20, 30, 40})
	if err != nil {
		t.Fatal(err)
	}
	post, err := p.Posterior(0, 4, 0.9)
	if err != nil || post.Estimate < 0.49 {
		t.Errorf("got %+v, %v, want about a half", post, err)
	}
	for name, err := range map[string]error{
		"two members":     second(stats.FitBeta([]int{1, 2}, []int{2, 3})),
		"no success":      second(stats.FitBeta([]int{0, 0, 0}, []int{2, 3, 4})),
		"more than all":   second(stats.FitBeta([]int{3, 1, 1}, []int{2, 3, 4})),
		"no event":        second(stats.FitGamma([]int{0, 0, 0}, []float64{1, 1, 1})),
		"no exposure":     second(stats.FitGamma([]int{1, 0, 0}, []float64{1, 0, 1})),
		"no error":        second(stats.FitNormal(schools, make([]float64, 8), stats.PauleMandel)),
		"four members":    second(stats.FitNormal(schools[:4], schoolSE[:4], stats.PauleMandel)),
		"value of NaN":    second(stats.NormalPrior{Mu: 1, Tau: 1}.Posterior(math.NaN(), 1, 0.9)),
		"negative events": second(stats.GammaPrior{Shape: 1, Exposure: 1}.Posterior(-1, 1, 0.9)),
	} {
		if !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%s: got %v, want ErrTooFew", name, err)
		}
	}
}

func TestLearnedPosteriorsKnowHowLittleIsLearned(t *testing.T) {
	t.Parallel()
	// The eight schools: the point estimate of tau is 0 and leaves no width; averaged over tau,
	// school A is near 11 with a standard deviation of about 8 (Gelman et al., Bayesian Data
	// Analysis, table 5.3: quartiles 7, 10, 16 and a long tail above), school C near 6 or 7.
	v, err := stats.LearnValues(schools, schoolSE)
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.Posterior(28, 15, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.Posterior(-3, 16, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "school A", a.Estimate, 11.2, 1.2)
	near(t, "its sd", a.SD, 7.8, 1.5)
	near(t, "school C", c.Estimate, 6.7, 1.2)
	near(t, "below the low quartile", a.Below(a.Low), 0.25, 1e-6)

	// With many members both ways agree; with few the learned interval is wider.
	var k, n []int
	for i := range 400 {
		k, n = append(k, 3+i%5), append(n, 10)
	}
	for _, members := range []int{6, 400} {
		fixed, err := stats.FitBetaML(k[:members], n[:members])
		if err != nil {
			t.Fatal(err)
		}
		learned, err := stats.LearnShares(k[:members], n[:members])
		if err != nil {
			t.Fatal(err)
		}
		p, err := fixed.Posterior(3, 10, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		q, err := learned.Posterior(3, 10, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		if members == 6 && q.HalfWidth() < 1.2*p.HalfWidth() {
			t.Errorf("6 members: half width %v, with the prior as given %v", q.HalfWidth(), p.HalfWidth())
		}
		if members == 400 {
			near(t, "mean of 400 members", q.Estimate, p.Estimate, 0.02)
		}
	}
	if _, err := stats.LearnValues(schools[:4], schoolSE[:4]); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("4 members: got %v", err)
	}
	if _, err := (stats.Rates{}).Posterior(1, 1, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("nothing learned: got %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestShrinkageBeatsRawOnHeldOutMonths simulates clients whose margins differ, learns from
// their first months and predicts the mean of the twelve that follow.
func TestShrinkageBeatsRawOnHeldOutMonths(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	var raw, shrunk float64
	const firms, clients = 60, 40
	for range firms {
		var values, se, later []float64
		for i := range clients {
			truth, months := 0.42+0.10*rnd.NormFloat64(), 3+i%10
			s := 0.0
			for range months {
				s += truth + 0.25*rnd.NormFloat64()
			}
			next := 0.0
			for range 12 {
				next += truth + 0.25*rnd.NormFloat64()
			}
			values, se, later = append(values, s/float64(months)), append(se, 0.25/math.Sqrt(float64(months))), append(later, next/12)
		}
		prior, err := stats.FitNormal(values, se, stats.PauleMandel)
		if err != nil {
			t.Fatal(err)
		}
		for i := range values {
			p, err := prior.Posterior(values[i], se[i], 0.9)
			if err != nil {
				t.Fatal(err)
			}
			raw += math.Pow(values[i]-later[i], 2)
			shrunk += math.Pow(p.Estimate-later[i], 2)
		}
	}
	t.Logf("mean squared error: raw %.5f, shrunken %.5f (%.0f %% less)", raw/firms/clients, shrunk/firms/clients, 100*(1-shrunk/raw))
	// The best possible: 1/(1/0.01 + n/0.0625) + 0.0625/12 against 0.0625/n + 0.0625/12.
	if shrunk > 0.75*raw {
		t.Errorf("shrinkage lowers the error only from %.5f to %.5f", raw/firms/clients, shrunk/firms/clients)
	}
}
