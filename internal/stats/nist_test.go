package stats_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// rows reads the rows of numbers of a NIST file after its first skip lines.
func rows(t *testing.T, name string, skip int) [][]float64 {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "nist", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var out [][]float64
	lines := bufio.NewScanner(in)
	for line := 0; lines.Scan(); line++ {
		fields := strings.Fields(lines.Text())
		if line < skip || len(fields) == 0 {
			continue
		}
		row := make([]float64, len(fields))
		for i, f := range fields {
			if row[i], err = strconv.ParseFloat(f, 64); err != nil {
				t.Fatalf("%s line %d: %v", name, line+1, err)
			}
		}
		out = append(out, row)
	}
	return out
}

// digits returns how many significant digits of got are right (log relative error), 15 for
// all of a double's.
func digits(got, want float64) float64 {
	if got == want {
		return 15
	}
	d := math.Abs(got - want)
	if want != 0 {
		d /= math.Abs(want)
	}
	return min(15, -math.Log10(d))
}

func certified(t *testing.T, what string, got, want, least float64) {
	t.Helper()
	if d := digits(got, want); !(d >= least) {
		t.Errorf("%s: got %.16g, certified %.16g: %.1f digits, want %.1f", what, got, want, d, least)
	}
}

func TestMomentsHaveTheCertifiedDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file           string
		skip, n        int
		mean, sd, lag1 float64
		least          float64
	}{
		{"univariate_Lew.txt", 52, 200, -177.435, 277.332168044316, -0.307304800605679, 14},
		{"univariate_Mavro.txt", 60, 50, 2.001856, 0.000429123454003053, 0.937989183438248, 12},
		{"univariate_NumAcc1.txt", 60, 3, 10000002, 1, -0.5, 15},
		// 1000000.1, .2 and .3 as doubles: the data themselves hold ten digits of the deviation.
		{"univariate_NumAcc3.txt", 60, 1001, 1000000.2, 0.1, -0.999, 9},
	} {
		var x []float64
		for _, row := range rows(t, c.file, c.skip) {
			x = append(x, row[0])
		}
		s, err := stats.Summarize(x)
		if err != nil || s.N != c.n {
			t.Fatalf("%s: %+v, %v, want %d values", c.file, s, err, c.n)
		}
		certified(t, c.file+" mean", s.Mean, c.mean, 14)
		certified(t, c.file+" sd", s.SD, c.sd, c.least)
		certified(t, c.file+" lag 1", s.Lag1, c.lag1, c.least)
	}
}

func TestAnovaHasTheCertifiedDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file                   string
		between, within, f, r2 float64
		sd                     float64
		least                  float64
	}{
		// least is what rounding the data to doubles leaves: ten digits after the 7 constant
		// leading ones of AtmWtAg and SmLs05, four after the 13 of SmLs07 and SmLs09.
		{"anova_AtmWtAg.dat", 3.63834187500000e-09, 1.04951729166667e-08, 15.9467335677930, 0.257426544538321, 1.51048314446410e-05, 9.9},
		{"anova_SmLs01.dat", 1.68, 1.8, 21, 0.482758620689655, 0.1, 13},
		{"anova_SmLs03.dat.gz", 160.08, 180, 2001, 0.470712773465067, 0.1, 13},
		{"anova_SmLs05.dat", 16.08, 18, 201, 0.471830985915493, 0.1, 9.5},
		{"anova_SmLs07.dat", 1.68, 1.8, 21, 0.482758620689655, 0.1, 3.5},
		{"anova_SmLs09.dat.gz", 160.08, 180, 2001, 0.470712773465067, 0.1, 3.5},
	} {
		data := rows(t, c.file, 60)
		groups := make([][]float64, int(data[len(data)-1][0]))
		for _, row := range data {
			g := int(row[0]) - 1
			groups[g] = append(groups[g], row[1])
		}
		a, err := stats.OneWay(groups)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: F has %.1f digits, between %.1f, within %.1f", c.file, digits(a.F, c.f), digits(a.Between, c.between), digits(a.Within, c.within))
		certified(t, c.file+" between", a.Between, c.between, c.least)
		certified(t, c.file+" within", a.Within, c.within, c.least)
		certified(t, c.file+" F", a.F, c.f, c.least)
		certified(t, c.file+" R2", a.R2, c.r2, c.least)
		certified(t, c.file+" sd", a.ResidualSD, c.sd, c.least)
	}
}

func TestNorrisRegressionHasTheCertifiedDigits(t *testing.T) {
	t.Parallel()
	var x, y []float64
	for _, row := range rows(t, "linreg_Norris.dat", 60) {
		y, x = append(y, row[0]), append(x, row[1])
	}
	r, err := stats.Regress(y, [][]float64{x}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	certified(t, "B0", r.Coefficients[0].Estimate, -0.262323073774029, 12)
	certified(t, "B1", r.Coefficients[1].Estimate, 1.00211681802045, 14)
	certified(t, "sd of B0", r.Coefficients[0].SE, 0.232818234301152, 12)
	certified(t, "sd of B1", r.Coefficients[1].SE, 0.429796848199937e-03, 12)
	certified(t, "residual sd", r.Sigma, 0.884796396144373, 12)
	certified(t, "R2", r.R2, 0.999993745883712, 14)
	certified(t, "F", r.F, 5436385.54079785, 12)
}

// reference decodes a file of values computed with R.
func reference(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "r", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func TestRegressionAgreesWithR(t *testing.T) {
	t.Parallel()
	var models []struct {
		Name, Formula  string
		Columns        []string
		Data           [][]float64
		Coef, SE, T, P map[string]float64
		R2             float64 `json:"r2"`
		Adjusted       float64 `json:"adj_r2"`
		F              struct{ Value, NumDF, DenDF float64 }
		Sigma          float64
		AIC, BIC       float64
	}
	reference(t, "lm_reference_R.json", &models)
	if len(models) != 2 {
		t.Fatalf("%d models", len(models))
	}
	for _, m := range models {
		response := strings.TrimSpace(strings.Split(m.Formula, "~")[0])
		names := []string{"(Intercept)"}
		var y []float64
		var x [][]float64
		for j, name := range m.Columns {
			column := make([]float64, len(m.Data))
			for i, row := range m.Data {
				column[i] = row[j]
			}
			if name == response {
				y = column
				continue
			}
			names, x = append(names, name), append(x, column)
		}
		r, err := stats.Regress(y, x, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			certified(t, m.Name+" "+name, r.Coefficients[i].Estimate, m.Coef[name], 11)
			certified(t, m.Name+" se of "+name, r.Coefficients[i].SE, m.SE[name], 11)
			certified(t, m.Name+" t of "+name, r.Coefficients[i].T, m.T[name], 11)
			certified(t, m.Name+" p of "+name, r.Coefficients[i].P, m.P[name], 10)
		}
		certified(t, m.Name+" R2", r.R2, m.R2, 13)
		certified(t, m.Name+" adjusted R2", r.Adjusted, m.Adjusted, 13)
		certified(t, m.Name+" F", r.F, m.F.Value, 11)
		certified(t, m.Name+" sigma", r.Sigma, m.Sigma, 12)
		certified(t, m.Name+" AIC", r.AIC, m.AIC, 12)
		certified(t, m.Name+" BIC", r.BIC, m.BIC, 12)
	}
	// NIST StRD, Longley, certified b0 in thousands.
	certified(t, "certified Longley b0", models[0].Coef["(Intercept)"]*1000, -3482258.63459582, 12)
}

func TestRegressionRefusesWhatHasNoAnswer(t *testing.T) {
	t.Parallel()
	y := []float64{1, 3, 2, 5, 4, 6}
	x := []float64{1, 2, 3, 4, 5, 6}
	twice := []float64{2, 4, 6, 8, 10, 12}
	flat := []float64{7, 7, 7, 7, 7, 7}
	for _, c := range []struct {
		name string
		y    []float64
		x    [][]float64
		want error
	}{
		{"no predictor", y, nil, stats.ErrTooFew},
		{"too few", y[:3], [][]float64{x[:3], {4, 1, 2}}, stats.ErrTooFew},
		{"unequal lengths", y, [][]float64{x[:5]}, stats.ErrTooFew},
		{"NaN", y, [][]float64{{1, 2, math.NaN(), 4, 5, 6}}, stats.ErrTooFew},
		{"collinear", y, [][]float64{x, twice}, stats.ErrCollinear},
		{"constant predictor", y, [][]float64{flat}, stats.ErrCollinear},
		{"constant response", flat, [][]float64{x}, stats.ErrConstant},
	} {
		if _, err := stats.Regress(c.y, c.x, 0.9); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := stats.OneWay([][]float64{{1, 1}, {1, 1}}); !errors.Is(err, stats.ErrConstant) {
		t.Errorf("ANOVA of equal values: got %v", err)
	}
	if _, err := stats.OneWay([][]float64{{1}, {2}}); !errors.Is(err, stats.ErrTooFew) {
		t.Errorf("ANOVA of single values: got %v", err)
	}
}

func TestMeanBelowAgreesWithItsInterval(t *testing.T) {
	t.Parallel()
	m, err := stats.Mean([]float64{3, -1, 4, 1, -5, 9, 2, 6}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "below low", m.Below(m.Low), 0.05, 1e-9)
	near(t, "below high", m.Below(m.High), 0.95, 1e-9)
	near(t, "below the estimate", m.Below(m.Estimate), 0.5, 1e-12)
	wider, err := m.At(0.99)
	if err != nil || wider.High <= m.High {
		t.Errorf("got %+v, %v", wider, err)
	}
}
