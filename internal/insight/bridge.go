package insight

import "github.com/moatmetrics/moatmetrics/internal/quantity"

// Step is a bar of a bridge: from the other cell, through what each driver adds or takes, to
// the explained one.
type Step struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // start, step or end
	// Amount is the value of a start or end, the contribution of a step.
	Amount quantity.Decimal `json:"amount"`
	// Total is the value after it: that of the end comes out of the start and the steps.
	Total quantity.Decimal `json:"total"`
}

// bridge returns the change of an explanation as steps, the largest first; none without a
// change. Start and steps add up to the end exactly.
func bridge(out *Explanation) []Step {
	if out.Change == nil || out.From.Value == nil || out.To.Value == nil {
		return []Step{}
	}
	total := *out.From.Value
	steps := []Step{{Name: out.From.Label, Kind: "start", Amount: total, Total: total}}
	left := *out.Change
	for _, d := range out.Drivers {
		total, left = total.Add(d.Contribution), left.Sub(d.Contribution)
		steps = append(steps, Step{Name: d.Name, Kind: "step", Amount: d.Contribution, Total: total})
	}
	if !left.IsZero() { // a change without drivers, such as that of an index
		total = total.Add(left)
		steps = append(steps, Step{Name: "change", Kind: "step", Amount: left, Total: total})
	}
	return append(steps, Step{Name: out.To.Label, Kind: "end", Amount: *out.To.Value, Total: total})
}
