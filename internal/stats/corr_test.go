package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// column turns missing values of JSON into NaN.
func column(x []*float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.NaN()
		if v != nil {
			out[i] = *v
		}
	}
	return out
}

type correlationReference struct {
	Pairs []struct {
		Name    string
		X, Y    []*float64
		Pearson struct {
			R, T, DF, P float64
			CI95        [2]float64
		}
		Spearman struct {
			Rho float64
			P   float64 `json:"p_asymptotic_t"`
		}
		Kendall struct{ Tau, Z, P float64 } `json:"kendall_tau_b"`
		N       int                         `json:"n_complete"`
	}
	Matrices []struct {
		Name                       string
		Columns                    []string
		Data                       [][]*float64
		Pearson, Spearman, Kendall [][]float64
	}
}

func TestCorrelationsAgreeWithR(t *testing.T) {
	t.Parallel()
	var ref correlationReference
	reference(t, "correlation_reference_R.json", &ref)
	for _, c := range ref.Pairs {
		got, err := stats.Correlate(column(c.X), column(c.Y), 0.95)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if got.N != c.N || got.N+got.Dropped != len(c.X) {
			t.Errorf("%s: %d pairs and %d dropped, want %d", c.Name, got.N, got.Dropped, c.N)
		}
		least := 10.0
		certified(t, c.Name+" r", got.Pearson.Estimate, c.Pearson.R, least)
		certified(t, c.Name+" t", got.Pearson.Statistic, c.Pearson.T, least)
		certified(t, c.Name+" p", got.Pearson.P, c.Pearson.P, least)
		certified(t, c.Name+" low", got.Pearson.Low, c.Pearson.CI95[0], least)
		certified(t, c.Name+" high", got.Pearson.High, c.Pearson.CI95[1], least)
		certified(t, c.Name+" rho", got.Spearman.Estimate, c.Spearman.Rho, least)
		certified(t, c.Name+" tau", got.Kendall.Estimate, c.Kendall.Tau, least)
		certified(t, c.Name+" z", got.Kendall.Statistic, c.Kendall.Z, least)
		if !got.Spearman.Exact {
			certified(t, c.Name+" p of rho", got.Spearman.P, c.Spearman.P, least)
		}
		if !got.Kendall.Exact {
			certified(t, c.Name+" p of tau", got.Kendall.P, c.Kendall.P, least)
		}
	}
	for _, m := range ref.Matrices {
		columns := make([][]float64, len(m.Columns))
		for j := range columns {
			var c []*float64
			for _, row := range m.Data {
				c = append(c, row[j])
			}
			columns[j] = column(c)
		}
		for i := range columns {
			for j := range columns {
				if i == j {
					continue
				}
				got, err := stats.Correlate(columns[i], columns[j], 0.95)
				if err != nil {
					t.Fatal(err)
				}
				what := m.Name + " " + m.Columns[i] + " " + m.Columns[j]
				near(t, what+" Pearson", got.Pearson.Estimate, m.Pearson[i][j], 1e-12)
				near(t, what+" Spearman", got.Spearman.Estimate, m.Spearman[i][j], 1e-12)
				near(t, what+" Kendall", got.Kendall.Estimate, m.Kendall[i][j], 1e-12)
			}
		}
	}
}

func TestSmallRankCorrelationsCountAllOrders(t *testing.T) {
	t.Parallel()
	// The pairs of R's "large offset, small n": rho 0.8286, tau 0.6 (12 of 15 less 3).
	x, y := []float64{1, 2, 3, 4, 5, 6}, []float64{2, 1, 4, 3, 6, 5}
	s, err := stats.Spearman(x, y, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	// Tables of Spearman's rho at n = 6: P(rho >= 0.829) = 0.029 one-sided (21 of 720).
	if near(t, "p of rho", s.P, 2*21.0/720, 1e-12); !s.Exact {
		t.Error("not exact")
	}
	k, err := stats.Kendall(x, y, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	// Tables of Kendall's S at n = 6: P(S >= 9) = 0.068 one-sided (49 of 720).
	if near(t, "p of tau", k.P, 2*49.0/720, 1e-12); !k.Exact {
		t.Error("not exact")
	}
	// Hollander & Wolfe (1973), 8.1, lightness of tuna and its panel score, as in R's manual of
	// cor.test: T = 26, p 0.1194; rho 0.6, p 0.0968.
	x = []float64{44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1}
	y = []float64{2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8}
	if k, err = stats.Kendall(x, y, 0.9); err != nil {
		t.Fatal(err)
	}
	near(t, "tau of tuna", k.Estimate, 0.4444, 0.0001)
	near(t, "its p", k.P, 0.1194, 0.0001)
	if s, err = stats.Spearman(x, y, 0.9); err != nil {
		t.Fatal(err)
	}
	near(t, "rho of tuna", s.Estimate, 0.6, 1e-12)
	near(t, "its p", s.P, 0.0968, 0.0001)
}

func TestPartialCorrelationTakesOutTheControls(t *testing.T) {
	t.Parallel()
	// With one control the formula of first order is known.
	rnd := rand.New(rand.NewPCG(5, 6))
	var x, y, z []float64
	for range 40 {
		c := rnd.NormFloat64()
		z = append(z, 1e6+c)
		x, y = append(x, c+rnd.NormFloat64()), append(y, -2*c+rnd.NormFloat64())
	}
	r := func(a, b []float64) float64 {
		c, err := stats.Pearson(a, b, 0.9)
		if err != nil {
			t.Fatal(err)
		}
		return c.Estimate
	}
	want := (r(x, y) - r(x, z)*r(y, z)) / math.Sqrt((1-r(x, z)*r(x, z))*(1-r(y, z)*r(y, z)))
	got, err := stats.Partial(x, y, [][]float64{z}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "partial", got.Estimate, want, 1e-10)
	if _, err := stats.Partial(x, z, [][]float64{z}, 0.9); !errors.Is(err, stats.ErrConstant) {
		t.Errorf("control equal to a side: got %v", err)
	}
	if _, err := stats.Partial(x[:5], y[:5], [][]float64{z[:5]}, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("5 pairs and a control: got %v", err)
	}
}

func TestCorrelationWarnings(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 8))
	noise := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		return x
	}
	codes := func(c stats.Correlation, err error) (out []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.Warnings {
			out = append(out, w.Code)
		}
		return out
	}
	outlier, other := noise(24), noise(24)
	outlier[5], other[5] = 12, 15
	if got := codes(stats.Correlate(outlier, other, 0.9)); !slices.Equal(got, []string{"outlier"}) {
		t.Errorf("outlier: got %v", got)
	}
	if got := codes(stats.Correlate([]float64{1, 2, 3, 4, 5, 6}, []float64{2, 1, 3, 5, 4, 6}, 0.9)); !slices.Contains(got, "small_n") {
		t.Errorf("6 pairs: got %v", got)
	}
	tied := noise(20)
	for i := range tied {
		tied[i] = math.Round(tied[i])
	}
	if got := codes(stats.Correlate(tied, noise(20), 0.9)); !slices.Contains(got, "ties") {
		t.Errorf("ties: got %v", got)
	}
	up, too := noise(36), noise(36)
	for i := range up {
		up[i] += 0.3 * float64(i)
		too[i] += 0.2 * float64(i)
	}
	c, err := stats.CorrelateSeries(up, too, 0.9)
	if got := codes(c, err); !slices.Contains(got, "common_trend") || !slices.Contains(got, "memory") {
		t.Errorf("common trend: got %v", got)
	}
	if c.Pearson.P > 1e-6 || c.Changes == nil || c.Detrended == nil || c.Detrended.P < 0.05 {
		t.Errorf("levels %+v, steps %+v, detrended %+v", c.Pearson, c.Changes, c.Detrended)
	}
	// Independent months seldom warn, and a real link under a common trend stays.
	alarms, linked := 0, 0
	for range 500 {
		a, b := noise(24), noise(24)
		if len(codes(stats.CorrelateSeries(a, b, 0.9))) > 0 {
			alarms++
		}
		for i := range a {
			b[i] = a[i] + b[i]/2 + 0.2*float64(i)
			a[i] += 0.3 * float64(i)
		}
		if !slices.Contains(codes(stats.CorrelateSeries(a, b, 0.9)), "common_trend") {
			linked++
		}
	}
	if alarms > 50 || linked < 490 {
		t.Errorf("%d of 500 independent pairs warn; %d of 500 linked ones are left in peace", alarms, linked)
	}
}

func TestCorrelationRefusesWhatHasNoAnswer(t *testing.T) {
	t.Parallel()
	x := []float64{1, 2, 3, 4, 5, 6}
	if _, err := stats.Correlate(x[:4], x[:4], 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("4 pairs: got %v", err)
	}
	nan := math.NaN()
	if _, err := stats.Correlate(x, []float64{1, nan, nan, 2, 3, 4}, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("4 complete pairs: got %v", err)
	}
	if _, err := stats.Correlate(x, x[:5], 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("unequal lengths: got %v", err)
	}
	if _, err := stats.Correlate(x, []float64{3, 3, 3, 3, 3, 3}, 0.9); !errors.Is(err, stats.ErrConstant) {
		t.Errorf("constant: got %v", err)
	}
	if _, err := stats.Pearson(x, []float64{1, 2, nan, 4, 5, 6}, 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("NaN: got %v", err)
	}
	c, err := stats.CorrelateSeries(x, x, 0.9)
	if err != nil || c.Pearson.Estimate != 1 || c.Pearson.Low != 1 || c.Pearson.P != 0 {
		t.Errorf("perfect: got %+v, %v", c, err)
	}
}
