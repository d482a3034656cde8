package insight

import (
	"fmt"
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/stats"
)

// Why there is no probability of an overrun, and how it is made.
const (
	tooFewFinished  = "too few finished projects to say"
	overAlready     = "the hours worked are above the budget already"
	doneWithin      = "it is stated to be complete, and within its budget"
	pastSaysNothing = "no finished project would still run after so many hours: the past does not say"
	fromRest        = "hours worked, and what is left takes as many times its planned hours as finished projects took theirs: log-normal, Student t"
	fromBurn        = "no progress is stated: of projects that come out as the finished ones did and have not ended after these hours, the part that ends above the budget (log-normal, Student t)"
)

// overrun is the probability that a project ends above its budget, and the 90 % interval of
// its final hours.
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
// of n − 1 degrees (stats.Prediction). With progress f, the rest of the work, (1 − f) × budget
// as planned, takes R times as many hours, R being such a ratio: final = worked + R (1 − f)
// budget. Without progress, what is known is that the project has burned a part b of its
// budget and has not ended: P(R > 1) ÷ P(R > b). What is over is over: 1, whatever the past.
func overrunOf(worked, budget float64, progress *float64, ratios []float64) overrun {
	say := func(p float64, why string) overrun { return overrun{probability: &p, why: why} }
	rest := budget
	if progress != nil {
		rest = budget * (1 - *progress)
	}
	switch {
	case !(budget > 0):
		return overrun{why: "no budget is stated"}
	case worked > budget:
		out := say(1, overAlready)
		if len(ratios) >= fewest && progress != nil && rest > 0 {
			out.final = finalHours(worked, rest, ratios)
		}
		return out
	case progress != nil && rest <= 0:
		return say(0, doneWithin)
	case len(ratios) < fewest:
		return overrun{why: fmt.Sprintf("%s (%d of %d)", tooFewFinished, len(ratios), fewest)}
	}
	logs := logsOf(ratios)
	above := func(x float64) float64 {
		if x <= 0 {
			return 1
		}
		p, err := stats.Exceeds(logs, math.Log(x))
		if err != nil {
			return math.NaN()
		}
		return p
	}
	if progress == nil {
		still := above(worked / budget)
		if !(still > 1e-9) {
			return overrun{why: pastSaysNothing}
		}
		return say(round4(above(1)/still), fromBurn)
	}
	out := say(round4(above((budget-worked)/rest)), fromRest)
	out.final = finalHours(worked, rest, ratios)
	return out
}

// finalHours is the 90 % interval of worked + R × rest.
func finalHours(worked, rest float64, ratios []float64) *stats.Interval {
	i, err := stats.Prediction(logsOf(ratios), level)
	if err != nil {
		return nil
	}
	i.Estimate, i.Low, i.High = worked+rest*math.Exp(i.Estimate), worked+rest*math.Exp(i.Low), worked+rest*math.Exp(i.High)
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
