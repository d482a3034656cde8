package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

// mostParts is how many values of a dimension a breakdown names; the others are one part.
const mostParts = 8

// others names the part of a breakdown that stands for all values without a name.
const others = "others"

// breakdown attributes the change of a measure that adds up to the values of a dimension:
// what each value has more or less than before. It is exact: the parts are the change.
func (r reader) breakdown(ctx context.Context, measure string, unit quantity.Unit, dimension, where string, from, to quantity.Period) (change, error) {
	before, err := r.read(ctx, from, where, []string{dimension}, measure)
	if err != nil {
		return change{}, err
	}
	after, err := r.read(ctx, to, where, []string{dimension}, measure)
	if err != nil {
		return change{}, err
	}
	out := breakDown(measure, unit, byKey(before), byKey(after))
	out.apart = apart(codesOf(slices.Concat(before, after)...)...)
	return out, nil
}

// breakDown is breakdown over figures that have been read.
func breakDown(measure string, unit quantity.Unit, before, after map[string]cell) change {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	var all []Driver
	var out change
	for name := range names {
		was, is := before[name][measure], after[name][measure]
		out.from, out.to = out.from.Add(was), out.to.Add(is)
		all = append(all, Driver{Name: name, Contribution: is.Sub(was), From: was, To: is})
	}
	slices.SortFunc(all, func(a, b Driver) int { return cmp.Compare(a.Name, b.Name) })
	byWeight(all)
	if len(all) > mostParts {
		rest := Driver{Name: others}
		for _, d := range all[mostParts:] {
			rest.Contribution, rest.From, rest.To = rest.Contribution.Add(d.Contribution), rest.From.Add(d.From), rest.To.Add(d.To)
		}
		rest.Name = fmt.Sprintf("%d %s", len(all)-mostParts, others)
		all = append(all[:mostParts], rest)
	}
	places := placesOf(unit)
	out.from, out.to = out.from.Round(places), out.to.Round(places)
	out.change = out.to.Sub(out.from)
	parts := make([]quantity.Decimal, len(all))
	for i, d := range all {
		parts[i] = d.Contribution
	}
	for i, p := range roundTo(parts, out.change, places) {
		all[i].Contribution, all[i].From, all[i].To = p, all[i].From.Round(places), all[i].To.Round(places)
	}
	out.drivers = all
	return out
}
