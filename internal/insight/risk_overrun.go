package insight

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// Why there is no probability of an overrun, and how it is made.
const (
	tooFewFinished  = "too few finished projects to say"
	overAlready     = "the hours worked are above the budget already"
	doneWithin      = "it is stated to be complete, and within its budget"
	pastSaysNothing = "no finished project would still run after so many hours: the past does not say"
	fromRest        = "what is left goes on at this project's own pace (weighted by its progress) or as finished projects went, each give or take what finished projects differed by: log-normal, Student t"
	fromPast        = "nothing is done yet; what is left goes as finished projects went: log-normal, Student t"
	fromBurn        = "no progress is stated: of projects that come out as the finished ones did and have not ended after these hours, the part that ends above the budget (log-normal, Student t)"
)

// overrun is the probability that a project ends above its budget, and the 90 % interval of
// its final hours, without an estimate of their own.
type overrun struct {
	probability *float64
	final       *stats.Interval // of hours
	why         string
}

// overrunOf finds it from the hours worked of the budget, the progress (nil when not stated),
// and the ratios of final to planned hours of finished projects.
//
// The logarithm of the ratio of a further project is taken to be normal around those of the
// finished ones, with mean and spread as unknown as n projects leave them: a t distribution
// of n − 1 degrees (stats.Prediction). With progress f, what is left, (1 − f) × budget as
// planned, takes R times as many hours when it goes as finished projects went, R being such
// a ratio; and worked × (1 − f) ÷ f × E when it goes on at this project's own pace, E being a
// ratio with the same spread around 1. Nothing in the data tells which: a project that is
// done to f is taken to go on as it went with probability f. Without progress, what is known
// is that the project has burned a part b of its budget and has not ended:
// P(R > 1) ÷ P(R > b). What is over is over: 1, whatever the past.
func overrunOf(worked, budget float64, progress *float64, ratios []float64) overrun {
	say := func(p float64, why string) overrun { return overrun{probability: &p, why: why} }
	done := progress != nil && *progress >= 1
	switch {
	case !(budget > 0):
		return overrun{why: "no budget is stated"}
	case worked <= budget && done:
		return say(0, doneWithin)
	case worked <= budget && len(ratios) < fewest:
		return overrun{why: fmt.Sprintf("%s (%d of %d)", tooFewFinished, len(ratios), fewest)}
	}
	var out overrun
	logs := logsOf(ratios)
	switch {
	case len(ratios) < fewest || done:
	case progress != nil:
		rest := remainder{worked: worked, planned: budget * (1 - *progress), progress: *progress, logs: logs, mean: stat.Mean(logs, nil)}
		out = say(round4(rest.above(budget)), fromRest)
		if rest.own() <= 0 {
			out.why = fromPast
		}
		out.final = rest.interval()
	case worked <= budget:
		still := exceeding(logs, worked/budget)
		if !(still > 1e-9) {
			return overrun{why: pastSaysNothing}
		}
		out = say(round4(exceeding(logs, 1)/still), fromBurn)
	}
	if worked > budget {
		certain := 1.0
		out.probability, out.why = &certain, overAlready
	}
	return out
}

// exceeding is the probability that a further ratio is above x.
func exceeding(logs []float64, x float64) float64 {
	if x <= 0 {
		return 1
	}
	p, err := stats.Exceeds(logs, math.Log(x))
	if err != nil {
		return math.NaN()
	}
	return p
}

// remainder is what is left to do of a project.
type remainder struct {
	worked, planned, progress float64 // hours worked, hours planned for what is left
	logs                      []float64
	mean                      float64 // of logs
}

// own is the hours that are left at the project's own pace, 0 when it has none yet.
func (r remainder) own() float64 {
	if r.progress <= 0 {
		return 0
	}
	return r.worked * (1 - r.progress) / r.progress
}

// above is the probability that the final hours are above so many.
func (r remainder) above(hours float64) float64 {
	left := hours - r.worked
	past := exceeding(r.logs, left/r.planned)
	if r.own() <= 0 {
		return past
	}
	// E is a further ratio over the typical one.
	return r.progress*exceeding(r.logs, left/r.own()*math.Exp(r.mean)) + (1-r.progress)*past
}

// interval is the 90 % interval of the final hours.
func (r remainder) interval() *stats.Interval {
	find := func(probability float64) float64 {
		low, high := 0.0, 1e3*(r.planned+r.own())
		for range 60 {
			if middle := (low + high) / 2; r.above(r.worked+middle) > probability {
				low = middle
			} else {
				high = middle
			}
		}
		return r.worked + low
	}
	i := stats.Interval{Low: find(0.5 + level/2), High: find(0.5 - level/2), Level: level, N: len(r.logs), Method: "own pace and finished projects, weighted by progress: Student prediction interval"}
	if !(i.Low <= i.High) || i.High > 100*(r.worked+r.planned) {
		return nil // wider than says anything
	}
	return &i
}

func logsOf(ratios []float64) []float64 {
	logs := make([]float64, len(ratios))
	for i, r := range ratios {
		logs[i] = math.Log(r)
	}
	return logs
}

// tellHistory says how finished projects came out.
func (p *projectRisks) tellHistory() {
	h := &p.out.History
	h.N, h.Method = len(p.ratios), "final hours over planned hours of finished projects: log-normal, Student prediction interval"
	for _, r := range p.ratios {
		if r > 1 {
			h.Over++
		}
	}
	if h.N < fewest {
		h.Words = fmt.Sprintf("%s: %d with a budget and hours, and it takes %d. There is no probability, only the estimate at completion.", "Too few finished projects to say", h.N, fewest)
		return
	}
	i, err := stats.Prediction(logsOf(p.ratios), level)
	if err != nil {
		return
	}
	set := func(log float64) *quantity.Decimal { return known(dec(math.Exp(log)).Round(6)) }
	h.Typical, h.Low, h.High = set(i.Estimate), set(i.Low), set(i.High)
	h.Words = fmt.Sprintf("Probabilities come from %d finished projects: they took %s of their planned hours (the typical one), %d of them more than planned; nine of ten further ones come out between %s and %s.", h.N, percent(*h.Typical), h.Over, percent(*h.Low), percent(*h.High))
	slices.Sort(p.ratios)
}
