package stats

import (
	"fmt"
	"math"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Warning is a reason to read a result with care.
type Warning struct {
	Code string `json:"code"` // small_n, ties, outlier, common_trend, memory
	Text string `json:"text"` // for people
}

// Correlation is what the pairs of two measures show together.
type Correlation struct {
	N        int // complete pairs
	Dropped  int // pairs left out because a value is missing
	Pearson  Association
	Spearman Association
	Kendall  Association
	Warnings []Warning
	// Changes and Detrended are the linear correlation of the steps from month to month
	// and of what a straight line through time leaves; nil when the pairs have no order or
	// are too few.
	Changes, Detrended *Association
}

// fewPairs is the number of pairs below which a correlation carries a warning.
const fewPairs = 10

// Correlate returns the correlation of pairs in no order, NaN standing for a missing value.
// It needs 5 complete pairs that vary (ErrTooFew, ErrConstant). It warns of fewer than 10
// pairs (small_n), of more than a fifth of the values of a measure tied (ties), and when
// one pair makes the picture (outlier): without it atanh of Pearson's r moves by more than
// its standard error, or from 10 pairs on Pearson and Spearman differ by more than 0.3.
func Correlate(x, y []float64, level float64) (Correlation, error) {
	cx, cy, dropped, err := complete(x, y)
	if err != nil {
		return Correlation{}, err
	}
	out := Correlation{N: len(cx), Dropped: dropped}
	if out.Pearson, err = Pearson(cx, cy, level); err != nil {
		return Correlation{}, err
	}
	if out.Spearman, err = Spearman(cx, cy, level); err != nil {
		return Correlation{}, err
	}
	if out.Kendall, err = Kendall(cx, cy, level); err != nil {
		return Correlation{}, err
	}
	if out.N < fewPairs {
		out.warn("small_n", fmt.Sprintf("only %d pairs: a correlation this strong also arises by chance more often than it seems", out.N))
	}
	if tied := max(tiedShare(cx), tiedShare(cy)); tied > 0.2 {
		out.warn("ties", fmt.Sprintf("%.0f %% of the values of a measure occur more than once", 100*tied))
	}
	if i, moved := mostInfluential(cx, cy); moved > 1/math.Sqrt(float64(out.N-3)) {
		out.warn("outlier", strings.ReplaceAll(fmt.Sprintf("one pair (%.6g, %.6g) makes much of it", cx[i], cy[i]), "-", quantity.Minus))
	} else if d := out.Pearson.Estimate - out.Spearman.Estimate; out.N >= fewPairs && math.Abs(d) > 0.3 {
		out.warn("outlier", "a few large values make much of it: the correlation of the ranks differs")
	}
	return out, nil
}

// CorrelateSeries is Correlate for pairs in time order with equal steps. Two measures that
// both grow are correlated without any link, so it also correlates their steps and what a
// straight line leaves of them, and warns (common_trend) when both measures follow a
// line (p < 0.05) and what is left of their correlation has a p of 0.05 or more or the other
// sign; and when memory leaves fewer than 80 % as many independent pairs (memory). Sources: Yule (1926),
// JRSS 89; Bartlett (1935), n (1 − r1 r2) / (1 + r1 r2) effective pairs.
func CorrelateSeries(x, y []float64, level float64) (Correlation, error) {
	out, err := Correlate(x, y, level)
	if err != nil {
		return Correlation{}, err
	}
	var at, cx, cy, dx, dy []float64
	for i := range x {
		if math.IsNaN(x[i] + y[i]) {
			continue
		}
		at, cx, cy = append(at, float64(i)), append(cx, x[i]), append(cy, y[i])
		if i > 0 && !math.IsNaN(x[i-1]+y[i-1]) {
			dx, dy = append(dx, x[i]-x[i-1]), append(dy, y[i]-y[i-1])
		}
	}
	if a, err := Pearson(dx, dy, level); err == nil {
		out.Changes = &a
	}
	trendX, err := Pearson(at, cx, level)
	if err != nil {
		return Correlation{}, err
	}
	trendY, err := Pearson(at, cy, level)
	if err != nil {
		return Correlation{}, err
	}
	if a, err := Partial(cx, cy, [][]float64{at}, level); err == nil {
		out.Detrended = &a
	}
	bothTrend := trendX.P < 0.05 && trendY.P < 0.05 && out.Pearson.P < 0.05
	if left := out.Detrended; bothTrend && (left == nil || left.P >= 0.05 || left.Estimate*out.Pearson.Estimate < 0) {
		out.warn("common_trend", "both measures follow a line in time; without it nothing of their correlation is left for sure")
	}
	sx, err := Summarize(cx)
	if err != nil {
		return Correlation{}, err
	}
	sy, err := Summarize(cy)
	if err != nil {
		return Correlation{}, err
	}
	if both := sx.Lag1 * sy.Lag1; (1-both)/(1+both) < 0.8 {
		n := float64(out.N) * (1 - both) / (1 + both)
		out.warn("memory", fmt.Sprintf("neighboring months are alike: the %d pairs say as much as about %.0f independent ones", out.N, n))
	}
	return out, nil
}

func (c *Correlation) warn(code, text string) { c.Warnings = append(c.Warnings, Warning{code, text}) }

// complete drops the pairs in which a value is missing (NaN).
func complete(x, y []float64) (cx, cy []float64, dropped int, err error) {
	if len(x) != len(y) {
		return nil, nil, 0, ErrTooFew
	}
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) {
			dropped++
			continue
		}
		cx, cy = append(cx, x[i]), append(cy, y[i])
	}
	return cx, cy, dropped, nil
}

// tiedShare returns the share of values that occur more than once.
func tiedShare(x []float64) float64 {
	_, ties := ranks(x)
	n := 0
	for _, t := range ties {
		n += t
	}
	return float64(n) / float64(len(x))
}

// mostInfluential returns the pair without which atanh of Pearson's r moves most, and by
// how much. A coefficient of 1 counts as one of 1 − 1e-9.
func mostInfluential(x, y []float64) (at int, moved float64) {
	z := func(r float64) float64 { return math.Atanh(min(1-1e-9, max(-1+1e-9, r))) }
	all := z(pearson(x, y))
	n := len(x)
	for i := range x {
		lx := append(append(make([]float64, 0, n-1), x[:i]...), x[i+1:]...)
		ly := append(append(make([]float64, 0, n-1), y[:i]...), y[i+1:]...)
		r := pearson(lx, ly)
		if math.IsNaN(r) { // nothing varies without it
			return i, math.Inf(1)
		}
		if d := math.Abs(z(r) - all); d > moved {
			at, moved = i, d
		}
	}
	return at, moved
}
