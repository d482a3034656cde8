package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// What makes a figure differ from the same one in an earlier snapshot.
const (
	rowsAdded    = "rows_added"
	rowsChanged  = "rows_changed"
	rowsRemoved  = "rows_removed"
	rateChanges  = "rate_changes"  // cost and billing rates of staff
	aliasChanges = "alias_changes" // which client, person or product a name means
	clientStatus = "client_list"   // status, industry and account manager of clients
	calendar     = "calendar"      // holidays and time off
)

// sourceOf is the driver that a table's differences belong to; rows where it is not named.
var sourceOf = map[string]string{
	"staff": rateChanges, "exchange_rates": rateChanges, "aliases": aliasChanges, "people": aliasChanges, "clients": clientStatus, "holidays": calendar, "time_off": calendar,
}

// labelTables are read for the dimensions that a condition names.
var labelTables = []string{"aliases", "people", "clients", "staff", "agreements"}

// player is a driver of a restatement: what of which tables it switches.
type player struct {
	name   string
	turn   func(b *warehouse.Blend)
	tables []string
}

// restate attributes the difference of a figure between two snapshots to what changed in the
// data, by exact Shapley values: the measure is computed with each mixture of the changes.
func (x *explanation) restate(ctx context.Context, out *Explanation) error {
	for _, s := range []struct {
		at   corner
		side *Side
	}{{x.from, &out.From}, {x.to(), &out.To}} {
		v, why, err := x.valueAt(ctx, s.at, x.measure.Name)
		if err != nil {
			return err
		}
		if s.side.Reason = why; v != nil {
			rounded := v.Round(placesOf(out.Unit))
			s.side.Value = &rounded
		}
	}
	if err := x.inputs(ctx, out); err != nil {
		return err
	}
	if out.From.Value == nil || out.To.Value == nil {
		out.Note = cmp.Or(out.To.Reason, out.From.Reason)
		return nil
	}
	change := out.To.Value.Sub(*out.From.Value)
	out.Change = &change
	if x.measure.Special != "" {
		out.Note = "it is computed over all clients at once and has no parts"
		return nil
	}
	differences, err := x.warehouse.Differences(ctx, x.scope, x.from.snapshot, x.snapshot)
	if err != nil {
		return err
	}
	players := x.players(differences)
	if len(players) == 0 || x.req.Brief {
		return nil
	}
	parts, ok, err := x.mixtures(ctx, players)
	if err != nil {
		return err
	}
	if !ok {
		out.Note = x.measure.Name + " has no value for a mixture of the two snapshots"
		return nil
	}
	for i, part := range roundTo(parts, change, placesOf(out.Unit)) {
		if !part.IsZero() {
			out.Drivers = append(out.Drivers, Driver{Name: players[i].name, Contribution: part, Part: true})
		}
	}
	byWeight(out.Drivers)
	out.Note = differ(differences, x.tablesRead())
	return nil
}

// inputs sets the base measures of both sides.
func (x *explanation) inputs(ctx context.Context, out *Explanation) error {
	f, err := formulaOf(x.metrics, x.measure.Name)
	if err != nil {
		return err
	}
	now, err := x.sums(ctx, f, x.req.Period, x.req.Where)
	if err != nil {
		return err
	}
	earlier := *x
	earlier.reader = x.from.reader
	before, err := earlier.sums(ctx, f, x.from.period, x.from.where)
	out.From.Inputs, out.To.Inputs, out.Currency = before.sums, now.sums, only(merged(now.codes, before.codes))
	return err
}

// tablesRead are the tables that the figure is computed from.
func (x *explanation) tablesRead() []string {
	tables := slices.Clone(x.measure.Tables)
	if x.req.Where != "" {
		tables = append(tables, labelTables...)
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

// players are the drivers whose tables differ and matter to the measure.
func (x *explanation) players(differences []warehouse.Difference) []player {
	var out []player
	join := func(name, table string, switching func(*warehouse.Blend)) {
		at := slices.IndexFunc(out, func(p player) bool { return p.name == name })
		if at < 0 {
			out, at = append(out, player{name: name, turn: switching}), len(out)
		}
		out[at].tables = append(out[at].tables, table)
	}
	first := map[string]bool{} // tables whose rows are what the measure counts
	for _, b := range x.measure.BaseInputs() {
		if m, err := x.metrics.Measure(b); err == nil && len(m.Tables) > 0 {
			first[m.Tables[0]] = true
		}
	}
	for _, d := range differences {
		if !slices.Contains(x.tablesRead(), d.Table) {
			continue
		}
		if name := sourceOf[d.Table]; name != "" && !(first[d.Table] && d.Table == "clients") {
			join(name, d.Table, func(b *warehouse.Blend) { b.Added, b.Changed, b.Removed = true, true, true })
			continue
		}
		if d.Added > 0 {
			join(rowsAdded, d.Table, func(b *warehouse.Blend) { b.Added = true })
		}
		if d.Changed > 0 {
			join(rowsChanged, d.Table, func(b *warehouse.Blend) { b.Changed = true })
		}
		if d.Removed > 0 {
			join(rowsRemoved, d.Table, func(b *warehouse.Blend) { b.Removed = true })
		}
	}
	return out
}

// mixtures returns the players' Shapley values; false when the measure has no value in some
// mixture.
func (x *explanation) mixtures(ctx context.Context, players []player) ([]quantity.Decimal, bool, error) {
	q := metric.Query{Measures: []string{x.measure.Name}, Where: x.req.Where, Period: x.req.Period, Snapshot: x.snapshot}
	var failed error
	parts, _, ok := shapley(len(players), func(mask uint) (quantity.Decimal, bool) {
		blends := map[string]warehouse.Blend{}
		for i, p := range players {
			for _, t := range p.tables {
				b, ok := blends[t]
				if !ok {
					b.Before = x.from.snapshot
				}
				if mask>>i&1 == 1 {
					p.turn(&b)
				}
				blends[t] = b
			}
		}
		if failed != nil {
			return quantity.Decimal{}, false
		}
		r, err := x.metrics.RunBlended(ctx, x.scope, q, blends)
		if err != nil {
			failed = err
			return quantity.Decimal{}, false
		}
		if len(r.Rows) == 0 {
			return quantity.Decimal{}, x.measure.Base() // no rows are nothing of a sum
		}
		v, known := r.Rows[0][0].(quantity.Decimal)
		return v, known
	})
	return parts, ok, failed
}

// differ says how many rows of which tables differ.
func differ(all []warehouse.Difference, of []string) string {
	var parts []string
	for _, d := range all {
		if !slices.Contains(of, d.Table) {
			continue
		}
		var what []string
		for _, n := range []struct {
			n    int64
			verb string
		}{{d.Added, "added"}, {d.Changed, "changed"}, {d.Removed, "removed"}} {
			if n.n > 0 {
				what = append(what, fmt.Sprintf("%s %s", plain(number(n.n, 0)), n.verb))
			}
		}
		parts = append(parts, fmt.Sprintf("%s: %s", spoken(d.Table), strings.Join(what, ", ")))
	}
	if len(parts) == 0 {
		return ""
	}
	return "rows that differ since: " + strings.Join(parts, "; ")
}
