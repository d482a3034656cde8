package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Smoothing is exponential smoothing with given parameters and a given start: level alone,
// with a trend (Holt), with a season (Winters). The zero values leave a part out.
type Smoothing struct {
	Alpha float64 // weight of the newest value in the level, 0 to 1
	Beta  float64 // weight of the newest step in the trend, 0 to 1
	Gamma float64 // weight of the newest value in the season, 0 to 1
	// Phi damps the trend at each step, above 0 to 1. Zero is 1: no damping.
	Phi float64
	// Shape is that of Season. Empty without one.
	Shape Shape
	// AfterLevel says that the season is compared with the level that has already seen the
	// value (Winters 1960; R's HoltWinters) and not with the one expected before it (the
	// component form of Hyndman & Athanasopoulos; statsmodels).
	AfterLevel bool
	State
}

// State is what smoothing knows between two values, in the unit of the series (a
// multiplicative season is a factor).
type State struct {
	Level, Trend float64
	Season       []float64 // of the next steps, the nearest first; empty without a season
}

// Smoothed is what smoothing made of a series.
type Smoothed struct {
	Fitted []float64 // what was expected of each value from those before it
	SSE    float64   // sum of the squared errors
	End    State     // after the last value
	shape  Shape
	phi    float64
}

// Smooth runs over y, in time order. The first value is fitted by the start itself. It needs
// one value (ErrTooFew). Sources: Holt (1957), Winters (1960), Gardner & McKenzie (1985);
// Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 8.
func (s Smoothing) Smooth(y []float64) (Smoothed, error) {
	if err := s.check(); err != nil {
		return Smoothed{}, err
	}
	if len(y) < 1 || !finite(y) {
		return Smoothed{}, ErrTooFew
	}
	s.Season = append([]float64(nil), s.Season...)
	out := Smoothed{Fitted: make([]float64, len(y))}
	for i, v := range y {
		phase, season := 0, 0.0
		if len(s.Season) > 0 {
			phase = i % len(s.Season)
			season = s.Season[phase]
		}
		expected := s.Level + s.Phi*s.Trend
		out.Fitted[i] = s.Shape.join(expected, season)
		out.SSE += math.Pow(v-out.Fitted[i], 2)
		level := s.Alpha*s.Shape.part(v, season) + (1-s.Alpha)*expected
		s.Trend = s.Beta*(level-s.Level) + (1-s.Beta)*s.Phi*s.Trend
		s.Level = level
		if len(s.Season) > 0 {
			against := expected
			if s.AfterLevel {
				against = level
			}
			s.Season[phase] = s.Gamma*s.Shape.part(v, against) + (1-s.Gamma)*season
		}
	}
	if m := len(s.Season); m > 0 { // the nearest step first
		first := len(y) % m
		s.Season = append(append([]float64(nil), s.Season[first:]...), s.Season[:first]...)
	}
	if !finite([]float64{out.SSE, s.Level, s.Trend}, s.Season) {
		return Smoothed{}, fmt.Errorf("smoothing: the values overflow or a level of 0 divides them")
	}
	out.End, out.shape, out.phi = s.State, s.Shape, s.Phi
	return out, nil
}

// check refuses what has no meaning and fills Phi.
func (s *Smoothing) check() error {
	if s.Phi == 0 {
		s.Phi = 1
	}
	for _, v := range []float64{s.Alpha, s.Beta, s.Gamma, s.Phi} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("smoothing: a parameter is %v, want 0 to 1", v)
		}
	}
	if !finite([]float64{s.Level, s.Trend}, s.Season) {
		return fmt.Errorf("smoothing: the start is not a number")
	}
	if len(s.Season) == 0 {
		if s.Shape != "" || s.Gamma != 0 {
			return fmt.Errorf("smoothing: a shape or a weight of a season that is not there")
		}
		return nil
	}
	if len(s.Season) == 1 || s.Shape != Additive && s.Shape != Multiplicative {
		return fmt.Errorf("smoothing: a season of %d steps of shape %q", len(s.Season), s.Shape)
	}
	return nil
}

// Forecast returns the expected values of the next steps.
func (s Smoothed) Forecast(steps int) []float64 {
	out := make([]float64, max(0, steps))
	level, damp := s.End.Level, s.phi
	for i := range out {
		level += damp * s.End.Trend
		damp *= s.phi
		out[i] = level
		if m := len(s.End.Season); m > 0 {
			out[i] = s.shape.join(level, s.End.Season[i%m])
		}
	}
	return out
}

// SmoothingStart returns the state from which R's HoltWinters starts at value period (the
// first season is used up): the season of Decompose over the first two, level and trend by
// least squares on the trend of that. It needs two seasons (ErrTooFew).
func SmoothingStart(y []float64, period int, shape Shape) (State, error) {
	if len(y) < 2*period {
		return State{}, ErrTooFew
	}
	c, err := Decompose(y[:2*period], period, shape)
	if err != nil {
		return State{}, err
	}
	var trend []float64
	for _, v := range c.Trend {
		if !math.IsNaN(v) {
			trend = append(trend, v)
		}
	}
	middle, mean := float64(len(trend)+1)/2, meanOf(trend)
	var above, below float64
	for i, v := range trend {
		d := float64(i+1) - middle
		above += d * (v - mean)
		below += d * d
	}
	slope := 0.0
	if below > 0 {
		slope = above / below
	}
	return State{Level: mean - slope*middle, Trend: slope, Season: c.Seasonal[:period]}, nil
}

// SeasonalNaive forecasts the next steps by the value one season earlier, each with the
// interval in which it lies with probability level. period 1 repeats the last value. The
// error of a forecast k seasons ahead has the root mean square of the seasonal differences
// times the root of k (a seasonal random walk; wide for a season that stands still). The
// quantile is Student's with as many degrees of freedom as there are differences; R's
// forecast::snaive takes the normal one, which covers too little in short series. It needs
// a season and 6 values (ErrTooFew). Source: Hyndman & Athanasopoulos (2021), 5.2 and 5.5.
func SeasonalNaive(y []float64, period, steps int, level float64) ([]Interval, error) {
	if err := checkLevel(level); err != nil {
		return nil, err
	}
	if period < 1 || steps < 0 {
		return nil, fmt.Errorf("seasonal naive: a season of %d steps, %d steps ahead", period, steps)
	}
	n := len(y)
	if n < period+6 || !finite(y) {
		return nil, ErrTooFew
	}
	squares := 0.0
	for i := period; i < n; i++ {
		squares += math.Pow(y[i]-y[i-period], 2)
	}
	sd := math.Sqrt(squares / float64(n-period))
	q := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - period)}.Quantile(0.5 + level/2)
	out := make([]Interval, steps)
	for i := range out {
		center := y[n-period+i%period]
		half := q * sd * math.Sqrt(float64(i/period+1))
		out[i] = Interval{center, center - half, center + half, level, n, "seasonal naive"}
	}
	return out, nil
}
