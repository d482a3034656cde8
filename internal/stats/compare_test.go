package stats_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

type testsReference struct {
	Welch struct {
		T, DF, P float64
		CI       [2]float64
		X, Y     []float64
	} `json:"welch_sleep"`
	MannWhitney struct{ W, P float64 } `json:"mannwhitney_sleep"`
	Quantiles   [][]float64            `json:"quantiles_type1to9_of_mtcars_mpg"`
	MPG         []float64              `json:"mtcars_mpg"`
	MAD, IQR    float64
	Kruskal     float64 `json:"kruskal_airquality_Ozone_by_Month"`
}

func TestComparisonsAgreeWithR(t *testing.T) {
	t.Parallel()
	var ref testsReference
	reference(t, "tests_reference_R.json", &ref)
	d, w, err := stats.Welch(ref.Welch.X, ref.Welch.Y, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	certified(t, "Welch t", w.Statistic, ref.Welch.T, 12)
	certified(t, "Welch df", d.DF, ref.Welch.DF, 12)
	certified(t, "Welch p", w.P, ref.Welch.P, 11)
	certified(t, "Welch low", d.Low, ref.Welch.CI[0], 11)
	certified(t, "Welch high", d.High, ref.Welch.CI[1], 11)

	m, err := stats.MannWhitney(ref.Welch.X, ref.Welch.Y)
	if err != nil || m.Exact {
		t.Fatalf("%+v, %v", m, err)
	}
	certified(t, "Mann-Whitney W", m.Statistic, ref.MannWhitney.W, 15)
	certified(t, "Mann-Whitney p", m.P, ref.MannWhitney.P, 12)

	sorted := slices.Sorted(slices.Values(ref.MPG))
	for kind, row := range ref.Quantiles {
		for i, p := range []float64{0.05, 0.25, 0.5, 0.9, 0.99} {
			got, err := stats.QuantileOfType(sorted, p, kind+1)
			if err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("quantile %v of type %d", p, kind+1), got, row[i], 1e-12)
		}
	}
	near(t, "mad", stats.MAD(ref.MPG), ref.MAD, 1e-12)
	near(t, "iqr", stats.Quantile(sorted, 0.75)-stats.Quantile(sorted, 0.25), ref.IQR, 1e-12)

	// Ozone of airquality is in the correlation reference, day by day from May 1.
	var correlations correlationReference
	reference(t, "correlation_reference_R.json", &correlations)
	var ozone []float64
	for _, p := range correlations.Pairs {
		if p.Name == "airquality Ozone-Temp (missing)" {
			ozone = column(p.X)
		}
	}
	var months [][]float64
	for _, days := range []int{31, 30, 31, 31, 30} {
		months = append(months, slices.DeleteFunc(slices.Clone(ozone[:days]), math.IsNaN))
		ozone = ozone[days:]
	}
	k, err := stats.KruskalWallis(months)
	if err != nil {
		t.Fatal(err)
	}
	certified(t, "Kruskal-Wallis p", k.P, ref.Kruskal, 11)
}

func TestMannWhitneyOfSmallGroupsCountsAllOrders(t *testing.T) {
	t.Parallel()
	// All of x below all of y: 1 of the 20 orders of 3 and 3, doubled.
	m, err := stats.MannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6})
	if err != nil || !m.Exact || m.Statistic != 0 {
		t.Fatalf("got %+v, %v", m, err)
	}
	near(t, "p", m.P, 0.1, 1e-12)
	// Hollander & Wolfe, 4.1, permeability of membranes: W' = 35 for 10 and 5, one-sided p 0.1272.
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	if m, err = stats.MannWhitney(x, y); err != nil {
		t.Fatal(err)
	}
	near(t, "W", m.Statistic, 35, 1e-12)
	near(t, "p", m.P, 2*0.1272, 0.0001)
	if _, err := stats.MannWhitney([]float64{1, 1}, []float64{1, 1, 1}); !errors.Is(err, stats.ErrConstant) {
		t.Errorf("equal values: got %v", err)
	}
}

func TestNewcombeDifferenceOfShares(t *testing.T) {
	t.Parallel()
	// Newcombe (1998), table II, method 10: 56/70 less 48/80, 10/10 less 0/10.
	for _, c := range []struct {
		k1, n1, k2, n2 int
		low, high      float64
	}{{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090}, {10, 10, 0, 10, 0.6075, 1}} {
		i, err := stats.ShareDifference(c.k1, c.n1, c.k2, c.n2, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "low", i.Low, c.low, 0.00006)
		near(t, "high", i.High, c.high, 0.00006)
	}
}

func TestRatioOfTwoEstimatesIsFiellers(t *testing.T) {
	t.Parallel()
	// A denominator known exactly divides the interval; one that may be 0 has no answer.
	a, err := stats.Mean([]float64{8, 12, 9, 11, 10}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	two, err := stats.Mean([]float64{2, 2}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	i, err := stats.Over(a, two)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ratio", i.Estimate, 5, 1e-12)
	near(t, "low", i.Low, a.Low/2, 1e-9)
	near(t, "high", i.High, a.High/2, 1e-9)
	near0, err := stats.Mean([]float64{-1, 2, 0.5, -0.4}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stats.Over(a, near0); !errors.Is(err, stats.ErrUnclear) {
		t.Errorf("got %v, want ErrUnclear", err)
	}
}

func TestKaplanMeierOfRemissionTimes(t *testing.T) {
	t.Parallel()
	// Gehan (1965), weeks in remission under 6-mercaptopurine; survival and log(-log) intervals
	// as in Kalbfleisch & Prentice (1980) and Venables & Ripley (2002), 13.1.
	times := []float64{6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35}
	lasting := []bool{false, false, false, true, false, true, false, true, true, false, false, true, true, true, false, false, true, true, true, true, true}
	s, err := stats.KaplanMeier(times, lasting, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		time                float64
		risk                int
		survival, low, high float64
	}{{6, 21, 0.857, 0.620, 0.952}, {7, 17, 0.807, 0.563, 0.923}, {10, 15, 0.753, 0.503, 0.889}, {13, 12, 0.690, 0.432, 0.849}, {16, 11, 0.627, 0.368, 0.805}, {22, 7, 0.538, 0.268, 0.747}, {23, 6, 0.448, 0.188, 0.680}}
	if len(s.Steps) != len(want) {
		t.Fatalf("%d steps", len(s.Steps))
	}
	for i, w := range want {
		g := s.Steps[i]
		if g.Time != w.time || g.AtRisk != w.risk {
			t.Errorf("step %+v, want %+v", g, w)
		}
		near(t, "survival", g.Survival, w.survival, 0.0006)
		near(t, "low", g.Low, w.low, 0.0006)
		near(t, "high", g.High, w.high, 0.0006)
	}
	if s.Median.Estimate != 23 || s.Median.Low != 13 || !math.IsInf(s.Median.High, 1) {
		t.Errorf("median %+v, want 23 from 13 on", s.Median)
	}
	if _, err := stats.KaplanMeier(times[:4], lasting[:4], 0.9); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("4 times: got %v", err)
	}
	if _, err := stats.KaplanMeier(times, lasting[:4], 0.9); err == nil {
		t.Error("marks for 4 of 21 times were accepted")
	}
	all, err := stats.KaplanMeier([]float64{1, 2, 3, 4, 5, 6}, make([]bool, 6), 0.9)
	if err != nil || all.Median.Estimate != 3.5 || all.Steps[5].Survival != 0 {
		t.Errorf("without censoring: got %+v, %v", all, err)
	}
}
