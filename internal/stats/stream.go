package stats

import (
	"fmt"
	"math"
)

// StreamOptions tunes a Stream. Zero fields take the defaults, which were chosen on one half
// of the NAB series and measured on the other (TestEvalStream).
type StreamOptions struct {
	// Period is how many values make a day (or another cycle). Zero: the values have none.
	Period int
	// Smooth is how many residuals are averaged before they are judged. Zero is 20.
	Smooth int
	// Memory is how many averages a new one is held against. Zero is 3,000.
	Memory int
	// Threshold is from how many standard deviations on there is an alarm. Zero is 3.
	Threshold float64
	// Quiet is for how many values an alarm silences the next: one incident, one alarm. Zero
	// is 200.
	Quiet int
}

// Stream watches one dense series (a value every few minutes) as it comes, in constant time
// and memory a value. From the third cycle on each value is compared with the mean of the
// same step of up to 7 cycles before; the average of the last such residuals is held against the mean and the standard
// deviation of those before it. It is no test with a known error rate: dense series remember
// too much. NAB's Windowed Gaussian (Lavin & Ahmad 2015, Evaluating real-time anomaly detection
// algorithms) is its relative, which judges single values without a profile; the profile,
// the averages and the silence are our choice.
type Stream struct {
	o         StreamOptions
	values    []float64 // ring of the last cycles
	residuals []float64 // ring of Smooth
	averages  []float64 // ring of Memory + Smooth
	seen      int       // values so far
	judged    int       // residuals so far: none in the first two cycles
	sum       float64   // of the residuals in the ring
	base      float64   // the first average, so that squares stay small
	first     float64   // sum of (average - base) of those held against
	second    float64   // sum of its squares
	quiet     int       // values left in silence
}

const (
	streamCycles = 7
	streamStart  = 50 // averages needed before anything is judged
)

// NewStream returns a Stream that has seen nothing.
func NewStream(o StreamOptions) (*Stream, error) {
	if o.Period < 0 || o.Smooth < 0 || o.Memory < 0 || o.Quiet < 0 || !(o.Threshold >= 0) {
		return nil, fmt.Errorf("stream: an option is negative: %+v", o)
	}
	for field, standard := range map[*int]int{&o.Smooth: 20, &o.Memory: 3000, &o.Quiet: 200} {
		if *field == 0 {
			*field = standard
		}
	}
	if o.Threshold == 0 {
		o.Threshold = 3
	}
	if o.Memory < streamStart {
		return nil, fmt.Errorf("stream: a memory of %d, want %d or more", o.Memory, streamStart)
	}
	return &Stream{
		o:         o,
		values:    make([]float64, streamCycles*o.Period),
		residuals: make([]float64, o.Smooth),
		averages:  make([]float64, o.Memory+o.Smooth),
	}, nil
}

// Next takes the next value and returns how many standard deviations the newest average is
// from those before it, 0 while too few are known, and whether that raises an alarm. A value
// that is not a number is an error and is not taken.
func (s *Stream) Next(v float64) (score float64, alarm bool, err error) {
	if !finite([]float64{v}) {
		return 0, false, fmt.Errorf("stream: the value %v", v)
	}
	ring := len(s.values)
	if s.seen >= 2*s.o.Period {
		r := v
		if s.o.Period > 0 {
			r -= s.profile()
		}
		score = s.hold(s.average(r))
		s.judged++
	}
	if ring > 0 {
		s.values[s.seen%ring] = v
	}
	s.seen++
	if s.quiet > 0 {
		s.quiet--
	}
	if score >= s.o.Threshold && s.quiet == 0 {
		s.quiet, alarm = s.o.Quiet, true
	}
	return score, alarm, nil
}

// profile returns the mean of the same step of the cycles before.
func (s *Stream) profile() float64 {
	sum, k, ring := 0.0, 0.0, len(s.values)
	for back := s.o.Period; back <= min(s.seen, ring); back += s.o.Period {
		sum += s.values[(s.seen-back)%ring]
		k++
	}
	return sum / k
}

// average keeps a residual and returns the mean of the last ones.
func (s *Stream) average(r float64) float64 {
	at := s.judged % s.o.Smooth
	s.sum += r - s.residuals[at]
	s.residuals[at] = r
	if at == 0 { // rounding does not pile up
		s.sum = 0
		for _, v := range s.residuals {
			s.sum += v
		}
	}
	return s.sum / float64(min(s.o.Smooth, s.judged+1))
}

// hold compares an average with those that share no value with it, and keeps it.
func (s *Stream) hold(average float64) float64 {
	if s.judged == 0 {
		s.base = average
	}
	ring := len(s.averages)
	add := func(index int, sign float64) {
		d := s.averages[index%ring] - s.base
		s.first += sign * d
		s.second += sign * d * d
	}
	if out := s.judged - s.o.Smooth - s.o.Memory; out >= 0 { // its place is taken below
		add(out, -1)
	}
	s.averages[s.judged%ring] = average
	if in := s.judged - s.o.Smooth; in >= 0 {
		add(in, 1)
	}
	if s.judged%ring == 0 && s.judged > 0 { // rounding does not pile up
		s.first, s.second = 0, 0
		for back := s.o.Smooth; back < s.o.Smooth+s.o.Memory; back++ {
			add(s.judged-back, 1)
		}
	}
	n := float64(min(s.o.Memory, s.judged-s.o.Smooth+1))
	if n < streamStart {
		return 0
	}
	mean := s.first / n
	variance := max(s.second/n-mean*mean, 1e-10*(1+math.Pow(mean+s.base, 2)))
	return math.Abs(average-s.base-mean) / math.Sqrt(variance)
}
