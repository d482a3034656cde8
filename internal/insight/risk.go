package insight

import (
	"fmt"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// What the state of a figure, of a component and of a whole can be. Missing is a state of its
// own: what is not known is never taken for good, and never for bad.
const (
	RiskAct     = "act"
	RiskWatch   = "watch"
	RiskUnknown = "unknown"
	RiskOK      = "ok"
)

// RiskLimit is what a figure is held against: a row of the thresholds, which a tenant may edit.
type RiskLimit struct {
	Threshold string `json:"threshold" doc:"id of the row of thresholds; empty for what holds by definition"`
	Measure   string `json:"measure,omitempty" doc:"whose row it is"`
	Words     string `json:"words" doc:"its bands, and what they ask for"`
	Kind      string `json:"kind" enum:"S,A,own" doc:"S: sourced, A: assumed by this product, own: set by the tenant"`
	Source    string `json:"source"`
}

// RiskChance is how probable it is that the expected value lies beyond a limit.
type RiskChance struct {
	Limit       quantity.Decimal `json:"limit"`
	Above       bool             `json:"above" doc:"beyond is above the limit, else below"`
	Probability float64          `json:"probability"`
	Words       string           `json:"words"`
}

// RiskFigure is a measured figure of a component. One without a limit only tells more.
type RiskFigure struct {
	Name     string            `json:"name"`
	Label    string            `json:"label"`
	Unit     quantity.Unit     `json:"unit"`
	Currency string            `json:"currency,omitempty"`
	Value    *quantity.Decimal `json:"value" doc:"null when it is not known"`
	Reason   string            `json:"reason,omitempty" doc:"why there is no value, or none that says enough"`
	Interval *Interval         `json:"interval"`
	Chances  []RiskChance      `json:"chances" nullable:"false"`
	Sure     string            `json:"how_sure" doc:"how the interval or probability is made, or that the figure is counted"`
	N        int               `json:"n" doc:"what it is made of, 0 when it is counted on a day"`
	Of       string            `json:"n_of,omitempty" doc:"what n counts, such as invoices paid"`
	Limit    *RiskLimit        `json:"limit" doc:"null: it only tells more and has no state"`
	State    string            `json:"state,omitempty" enum:"act,watch,unknown,ok"`
	Query    metric.Query      `json:"query" doc:"leads to the rows"`
}

// RiskComponent is one part of a risk.
type RiskComponent struct {
	Name    string       `json:"name"`
	Label   string       `json:"label"`
	State   string       `json:"state" enum:"act,watch,unknown,ok"`
	Words   string       `json:"words"`
	Step    string       `json:"step,omitempty" doc:"what to do next"`
	Figures []RiskFigure `json:"figures" nullable:"false"`
}

// RiskMissing is a data set that would tell what is unknown.
type RiskMissing struct {
	Dataset string `json:"dataset"`
	Tells   string `json:"tells"`
}

// bands are the thresholds by id.
type bands map[string]metric.Threshold

// worstEdge is the limit of the worst band of a threshold, and on which side that lies; false
// when it has none, or one on either side.
func worstEdge(t metric.Threshold) (edge quantity.Decimal, above, ok bool) {
	first, final := t.Bands[0].Verdict == "bad", t.Bands[len(t.Bands)-1].Verdict == "bad"
	switch {
	case first == final:
		return edge, false, false
	case first:
		for _, b := range t.Bands {
			if b.Verdict != "bad" {
				return edge, false, true
			}
			edge = *b.UpTo
		}
	}
	for i := len(t.Bands) - 1; i > 0 && t.Bands[i].Verdict == "bad"; i-- {
		edge = *t.Bands[i-1].UpTo
	}
	return edge, true, true
}

// limitWords are the bands of a threshold with what they ask for: "below 5 days: within terms;
// from 5 days: late (watch)".
func limitWords(t metric.Threshold, u quantity.Unit) string {
	parts := make([]string, len(t.Bands))
	for i, b := range t.Bands {
		parts[i] = b.Label
		if i > 0 {
			parts[i] = "from " + inUnit(*t.Bands[i-1].UpTo, u) + ": " + b.Label
		} else if b.UpTo != nil {
			parts[i] = "below " + inUnit(*b.UpTo, u) + ": " + b.Label
		}
		if asks := map[string]string{"fair": RiskWatch, "bad": RiskAct}[b.Verdict]; asks != "" {
			parts[i] += " (" + asks + ")"
		}
	}
	return strings.Join(parts, "; ")
}

// evenChance is the probability from which on a figure in its worst band is no matter of chance
// only: more likely than not, the expected value lies there, too.
const evenChance = 0.5

// judge sets the state of a figure from its limit. In the worst band it is to act on, unless it
// is known that the expected value probably does not lie there: then chance brought it there,
// and it is to be watched.
func (b bands) judge(f *RiskFigure, id string) {
	t, ok := b[id]
	if !ok {
		return
	}
	f.Limit = &RiskLimit{Threshold: id, Measure: t.Measure, Words: limitWords(t, f.Unit), Kind: t.Kind, Source: t.Source}
	f.State = RiskUnknown
	if f.Value == nil {
		return
	}
	if f.Of != "" && f.N < fewest {
		f.Reason = fmt.Sprintf("too few to say (%s: %d)", f.Of, f.N)
		return
	}
	switch t.Of(*f.Value).Verdict {
	case "bad":
		f.State = RiskAct
		if edge, above, ok := worstEdge(t); ok {
			for _, c := range f.Chances {
				if c.Above == above && c.Limit.Equal(edge) && c.Probability < evenChance {
					f.State = RiskWatch
				}
			}
		}
	case "fair":
		f.State = RiskWatch
	default:
		f.State = RiskOK
	}
}

// worstOf is the state of what has these states: to act on before to watch before unknown. What
// is not known keeps the rest from being well.
func worstOf(states ...string) string {
	for _, s := range []string{RiskAct, RiskWatch, RiskUnknown} {
		for _, have := range states {
			if have == s {
				return s
			}
		}
	}
	return RiskOK
}

// settle sets a component's state: the worst of its figures'.
func (c *RiskComponent) settle() {
	var states []string
	for i := range c.Figures {
		f := &c.Figures[i]
		if f.Chances == nil {
			f.Chances = []RiskChance{}
		}
		if f.Limit != nil {
			states = append(states, f.State)
		}
	}
	c.State = worstOf(states...)
}

// inRiskOrder is the place of a state: the worst first.
func inRiskOrder(state string) int {
	for i, s := range []string{RiskAct, RiskWatch, RiskUnknown} {
		if s == state {
			return i
		}
	}
	return 3
}

// known is a figure that is there.
func known(d quantity.Decimal) *quantity.Decimal { return &d }
