package stats_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// ofR is a series with what R 4.2.2 and forecast 8.20 make of it (testdata/series).
type ofR struct {
	Y                []float64
	Frequency        int
	STLPeriodic      parts                     `json:"stl_periodic"`
	STLRobust        parts                     `json:"stl_s7_robust"`
	Additive         figure                    `json:"decompose_additive"`
	Multiplicative   figure                    `json:"decompose_multiplicative"`
	HWAdditive       holtWinters               `json:"HoltWinters_additive"`
	HWMultiplicative holtWinters               `json:"HoltWinters_multiplicative"`
	HWFixed          holtWinters               `json:"HoltWinters_fixed_a.3_b.1_g.2_additive"`
	SNaive           naive                     `json:"snaive"`
	Naive            naive                     `json:"naive"`
	SeasonalStrength float64                   `json:"seasonal_strength"`
	ACF, PACF        []float64                 // from lag 1
	LjungBox         struct{ Stat, P float64 } `json:"ljung_box_lag10"`
}

// ofStatsmodels is what statsmodels 0.13.5 makes of it.
type ofStatsmodels struct {
	Y                []float64
	Period           int
	STL              parts    `json:"STL_seasonal7_robustFalse"`
	STLRobust        parts    `json:"STL_seasonal7_robustTrue"`
	HWAdditive       smoothed `json:"HoltWinters_add_fixed"`
	HWMultiplicative smoothed `json:"HoltWinters_mul_fixed"`
	Damped           smoothed `json:"Holt_damped_fixed"`
	Simple           smoothed `json:"SES_fixed"`
}

type parts struct{ Seasonal, Trend, Weights []float64 }

type figure struct {
	Figure []float64
	Trend  []*float64 // null at the ends
}

type holtWinters struct {
	Alpha, Beta, Gamma, SSE float64
	Coefficients            map[string]float64
	Fitted, Forecast        []float64
}

type naive struct{ Mean, Lo80, Hi80, Lo95, Hi95 []float64 }

type smoothed struct {
	Alpha, Beta, Gamma, Phi, L0, B0, SSE float64
	S0, Fitted, Forecast12               []float64
	Forecast1                            float64
}

// series reads testdata/series/<name>.json into T.
func series[T any](t *testing.T, name string) T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "series", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// agree compares slices within a tolerance relative to the largest value.
func agree(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance*scale) {
			t.Errorf("%s: value %d is %.12g, want %.12g", what, i, got[i], want[i])
			return
		}
	}
}

var monthlyAndQuarterly = []string{"AirPassengers", "AirPassengers.outliers", "USAccDeaths", "UKgas"}
