package insight

import (
	"fmt"
	"math"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Chance is the probability that the expected value of a measure is below a limit. It agrees
// with the interval: the low end of the 90 % interval has a probability of 5 % below it.
type Chance struct {
	Name        string           `json:"name"` // loss, below_target, …; "below" for a limit that was asked for
	Below       quantity.Decimal `json:"below"`
	Probability float64          `json:"probability"`
	Of          string           `json:"of"` // expected
	Words       string           `json:"words"`
}

// threshold is a limit with a meaning.
type threshold struct {
	name  string
	below quantity.Decimal
}

// limitsOf are the limits that decisions about a measure turn on.
func limitsOf(measure string, t Thresholds) []threshold {
	switch measure {
	case "gross_margin":
		return []threshold{{"loss", number(0, 0)}, {"below_target", t.TargetMargin}}
	case "gross_profit", "profit_per_hour":
		return []threshold{{"loss", number(0, 0)}}
	case "agreement_efficiency":
		return []threshold{{"inefficient", number(8, 1)}} // domain 2.3: green from 0.8
	case "utilization", "billable_utilization":
		return []threshold{{"underused", t.StaffUnder}}
	}
	return nil
}

// chanceBelow is the probability that the estimated value is below a limit: the level at
// which an end of the interval comes to lie there says it.
func chanceBelow(of estimate, limit float64) (float64, error) {
	const edge = 1e-6 // no finite number of months says more
	lowest, highest := edge, 1-edge
	mid, err := of(lowest)
	if err != nil {
		return 0, err
	}
	lower := limit < mid.Estimate
	for range 60 {
		level := (lowest + highest) / 2
		i, err := of(level)
		if err != nil {
			return 0, err
		}
		if lower && i.Low > limit || !lower && i.High < limit {
			lowest = level
		} else {
			highest = level
		}
	}
	level := (lowest + highest) / 2
	if mid.Estimate == limit && mid.Low == mid.High {
		return 0, nil // always exactly there, never below
	}
	if lower {
		return round4((1 - level) / 2), nil
	}
	return round4((1 + level) / 2), nil
}

func round4(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// chances says what is probable of an expected value.
func chances(of estimate, limits []threshold, measure string, unit quantity.Unit) []Chance {
	out := []Chance{}
	for _, l := range limits {
		p, err := chanceBelow(of, float(l.below))
		if err != nil {
			continue
		}
		out = append(out, Chance{Name: l.name, Below: l.below, Probability: p, Of: expected,
			Words: fmt.Sprintf("The expected %s is below %s with a probability of %s.", spoken(measure), inUnit(l.below, unit), percent(dec(p)))})
	}
	return out
}
