package insight

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// Raise is what would raise a confidence most for the effort it takes. To is the score with
// the component mended and everything else as it is.
type Raise struct {
	Component string  `json:"component"`
	Words     string  `json:"words"`  // "import the cost rates of 3 people: 0.62 → 0.81"
	Effort    int     `json:"effort"` // people, names or files to look after
	From      float64 `json:"from"`
	To        float64 `json:"to"`
}

// remedy is a way to mend a component.
type remedy struct {
	action string
	effort int     // people, names or files
	value  float64 // of the component afterwards
}

// leastRaise is the rise of a score that is worth a word.
const leastRaise = 0.005

// raise returns the remedy with the largest rise for its effort, nil when none helps.
func (x *explanation) raise(ctx context.Context, now Confidence, parts []graded, h float64, always []limit) (*Raise, error) {
	var best *Raise
	for i, p := range parts {
		if p.Value >= 1 && len(p.limits) == 0 {
			continue
		}
		cure, err := x.remedy(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		if cure.effort == 0 {
			continue
		}
		mended := slices.Clone(parts)
		mended[i].Value = math.Max(p.Value, cure.value)
		if mended[i].Value >= 1 {
			mended[i].limits = nil
		}
		other := h
		if p.Name == "direct_cost" && x.quality.firm["direct_cost"].Sign() <= 0 {
			other = math.Max(0, h-unknownVendorCost/2/marginScale)
		}
		then := confideIn(mended, other, always)
		if then.Score-now.Score < leastRaise {
			continue
		}
		if best == nil || (then.Score-now.Score)/float64(cure.effort) > (best.To-best.From)/float64(best.Effort) {
			best = &Raise{Component: p.Name, Effort: cure.effort, From: now.Score, To: then.Score,
				Words: fmt.Sprintf("%s: %.2f → %.2f", cure.action, now.Score, then.Score)}
		}
	}
	return best, nil
}

// remedy is how a component is mended, with no effort when nothing can be done about it.
func (x *explanation) remedy(ctx context.Context, component string) (remedy, error) {
	switch component {
	case "cost_rates":
		if x.tables["time_entries"] == 0 {
			return remedy{"import the time entries", 1, 1}, nil
		}
		n, err := x.people(ctx, func(c cell) bool {
			return c["hours_without_cost"].Sign() > 0 || !x.quality.ratesStated && c["hours_worked"].Sign() > 0
		}, x.req.Where, "hours_worked", "hours_without_cost")
		return remedy{fmt.Sprintf("import the cost rates of %s", counted(n, "person", "people")), n, 1}, err
	case "time_coverage":
		assumed, err := x.people(ctx, func(c cell) bool { return c["capacity_assumed"].Sign() > 0 }, "", "capacity_assumed")
		if err != nil {
			return remedy{}, err
		}
		if assumed > 0 {
			recorded := math.Min(1, share(x.quality.firm["hours_worked"], x.quality.firm["capacity_hours"]))
			return remedy{fmt.Sprintf("import the contract hours of %s", counted(assumed, "person", "people")), assumed, recorded}, nil
		}
		n, err := x.people(ctx, func(c cell) bool {
			return c["hours_worked"].LessThan(c["capacity_hours"].Mul(number(85, 2)))
		}, "", "hours_worked", "capacity_hours")
		return remedy{fmt.Sprintf("have %s record the time that is missing", counted(n, "person", "people")), n, 1}, err
	case "billable":
		return remedy{"import time entries that say whether they are billable", 1, 1}, nil
	case "revenue_basis":
		return remedy{"import invoices that state their tax", 1, 1}, nil
	case "direct_cost":
		if x.quality.firm["direct_cost"].Sign() <= 0 {
			return remedy{"import the vendor bills (expenses of a cogs category)", 1, 1}, nil
		}
		return remedy{"name the client of the vendor bills that have none", 1, 1}, nil
	case "client_match":
		if len(x.quality.known) == 0 {
			return remedy{"import the client list", 1, 1}, nil
		}
		n := 0
		for name, c := range x.quality.clients {
			if !x.quality.known[name] && (!c["revenue"].IsZero() || !c["hours_worked"].IsZero()) {
				n++
			}
		}
		return remedy{fmt.Sprintf("match %s to the client list", counted(n, "client name", "client names")), n, 1}, nil
	}
	return remedy{}, nil
}

// people counts the staff members of a cell of whom something holds.
func (x *explanation) people(ctx context.Context, holds func(cell) bool, where string, measures ...string) (int, error) {
	rows, err := x.read(ctx, wholeMonths(x.req.Period), x.staffWhere(where), []string{"staff"}, measures...)
	n := 0
	for _, r := range rows {
		if holds(r.sums) {
			n++
		}
	}
	return n, err
}

// staffWhere is a condition if hours can be filtered by it, otherwise none.
func (x *explanation) staffWhere(where string) string {
	dims, err := x.metrics.ParseWhere(where)
	can := x.dimensionsOf("hours_worked")
	if err != nil || slices.ContainsFunc(dims, func(d string) bool { return !slices.Contains(can, d) }) {
		return ""
	}
	return where
}

// counted writes a number of things: "1 person", "3 people".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %s", plain(quantity.Decimal(number(int64(n), 0))), many)
}
