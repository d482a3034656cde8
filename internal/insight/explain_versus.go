package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// maxDepth is how many levels of drivers an explanation opens at most.
const maxDepth = 4

// corner is one of the two cells of an explanation: where its figures are read from.
type corner struct {
	reader
	label  string
	period quantity.Period
	where  string
	// scale is what the sums are multiplied by to be of the other cell's size; nil is 1.
	scale *quantity.Decimal
}

// to is the cell that is explained.
func (x *explanation) to() corner {
	return corner{reader: x.reader, label: x.req.Period.String(), period: x.req.Period, where: x.req.Where}
}

// check refuses requests that contradict themselves.
func (req ExplainRequest) check() error {
	refuse := func(why, path, help string, allowed ...string) error {
		return fault.WithFields(why, fault.Field{Path: path, Message: help, Allowed: allowed})
	}
	elsewhere := req.Against.Where != "" || !req.Against.Period.From.IsZero() || !req.Against.Period.To.IsZero()
	switch {
	case !slices.Contains(comparisons, req.Versus):
		return refuse(fmt.Sprintf("%q is not a comparison", req.Versus), "versus", "unknown comparison", comparisons...)
	case req.Versus == Portfolio && strings.TrimSpace(req.Where) == "":
		return refuse("the portfolio is everything: say what to compare with it", "where", `give a condition such as client = "Harbor Dental"`)
	case req.Versus == Elsewhere && !elsewhere:
		return refuse("say which other cell to compare with", "against", `give another condition, such as client = "Harbor Dental", or another period`)
	case req.Versus != Elsewhere && elsewhere:
		return refuse("another cell needs the comparison with one", "versus", "must be "+Elsewhere, Elsewhere)
	case req.Versus == Restated && req.Snapshot <= 0:
		return refuse("say which snapshot to compare with", "snapshot", "must be the id of a snapshot: list them with snapshots")
	case req.Versus != Restated && req.Snapshot != 0:
		return refuse("a snapshot needs the comparison with one", "versus", "must be "+Restated, Restated)
	case req.AsSeen && req.Versus != Previous && req.Versus != YearAgo:
		return refuse("only an earlier period can be taken as it was seen", "versus", "must be an earlier period", Previous, YearAgo)
	case req.Depth < 0 || req.Depth > maxDepth || len(req.By) > maxDepth:
		return refuse("the drivers cannot be opened so deep", "depth", fmt.Sprintf("must be 1 to %d", maxDepth))
	}
	return nil
}

// checkPath refuses levels of drivers that the measure does not have.
func (s *Service) checkPath(m *metric.Measure, by []string) error {
	for i, d := range by {
		known := []string{Factors}
		for _, base := range m.BaseInputs() {
			in, err := s.metrics.Measure(base)
			if err != nil {
				return err
			}
			known = merged(known, slices.Sorted(slices.Values(s.metrics.DimensionsOf(in))))
		}
		if !slices.Contains(known, d) || d != Factors && slices.Contains(by[:i], d) {
			return fault.WithFields(fmt.Sprintf("the drivers of %s cannot be opened by %q", m.Name, d), fault.Field{Path: fmt.Sprintf("by[%d]", i), Message: "must be a dimension of the measure or one of its inputs, or " + Factors, Allowed: known})
		}
	}
	return nil
}

// other sets the cell that is compared with.
func (x *explanation) other(ctx context.Context) error {
	x.from = x.to()
	switch p := x.req.Period; x.req.Versus {
	case Portfolio:
		x.from.label, x.from.where = "portfolio", x.everybody()
		if !x.scope.Rights.SeesAllRows() {
			x.from.label = "portfolio that you see"
		}
	case YearAgo:
		x.from.label, x.from.period = "a year ago", quantity.Period{From: p.From.AddMonths(-12), To: p.To.AddMonths(-12)}
	case Elsewhere:
		if a := x.req.Against.Period; !a.From.IsZero() || !a.To.IsZero() {
			if !a.Bounded() {
				return fault.WithFields("the period of the other cell needs both ends", fault.Field{Path: "against", Message: "give its first day and the first day after it"})
			}
			x.from.label, x.from.period = a.String(), a
		}
		if where := strings.TrimSpace(x.req.Against.Where); where != "" {
			x.from.label, x.from.where = where, where
			if name := nameIn(where); name != "" {
				x.from.label = name
			}
		}
	case Restated:
		if x.req.Snapshot >= x.snapshot {
			return fault.WithFields("compare with an earlier snapshot", fault.Field{Path: "snapshot", Message: fmt.Sprintf("must be earlier than %d, the current one", x.snapshot)})
		}
		x.from.label, x.from.snapshot = fmt.Sprintf("snapshot %d", x.req.Snapshot), x.req.Snapshot
	default:
		x.from.label, x.from.period = "previous period", p.Previous()
	}
	return nil
}

// Corrections is the driver of what was corrected in the other period after it was seen.
const Corrections = "data_corrections"

// asSeen takes the other side as it was known before the explained period was over: what
// has been corrected since is a driver of its own.
func (x *explanation) asSeen(ctx context.Context, out *Explanation) error {
	snap, at, err := x.seenAt(ctx)
	if err != nil || snap == 0 {
		if err == nil {
			out.Note = cmp.Or(out.Note, "nothing was imported yet when the other period could have been seen: there are no corrections to tell")
		}
		return err
	}
	then := x.from
	then.snapshot = snap
	seen, why, err := x.valueAt(ctx, then, out.Measure)
	if err != nil {
		return err
	}
	if seen == nil {
		out.Note = cmp.Or(out.Note, fmt.Sprintf("in snapshot %d of %s, %s had no value: %s", snap, quantity.DayOf(at), spoken(out.Measure), why))
		return nil
	}
	value := seen.Round(placesOf(out.Unit))
	corrected := out.From.Value.Sub(value)
	change := out.Change.Add(corrected)
	out.Drivers = append(out.Drivers, Driver{Name: Corrections, Contribution: corrected, From: value, To: *out.From.Value})
	byWeight(out.Drivers)
	out.From.Label += fmt.Sprintf(", as known on %s", quantity.DayOf(at))
	out.From.Value, out.Change = &value, &change
	return nil
}

// seenAt is the newest snapshot made before the explained period was over, 0 when there is
// none.
func (x *explanation) seenAt(ctx context.Context) (warehouse.Snapshot, time.Time, error) {
	all, err := x.warehouse.Snapshots(ctx, x.scope) // newest first
	if err != nil {
		return 0, time.Time{}, err
	}
	for _, s := range all {
		if quantity.DayOf(s.At.UTC()).Before(x.req.Period.To) {
			return s.ID, s.At, nil
		}
	}
	return 0, time.Time{}, nil
}

// valueAt is a measure in a cell, or why it has none. Amounts of several currencies are no
// value.
func (x *explanation) valueAt(ctx context.Context, at corner, measure string) (*quantity.Decimal, string, error) {
	got, err := at.whole(ctx, at.period, at.where, measure)
	if err != nil {
		return nil, "", err
	}
	if why := apart(got.codes...); why != "" {
		return nil, why, nil
	}
	if v, ok := got.sums[measure]; ok {
		return &v, "", nil
	}
	return nil, cmp.Or(got.why[measure], "no "+spoken(measure)+" in the data"), nil
}
