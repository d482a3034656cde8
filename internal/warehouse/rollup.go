package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// definition names what a roll-up's declaration says: another one means other numbers.
func (r Rollup) definition() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %v %q %q", r.Source, r.Table.Columns, r.Joins, r.SQL))
	return hex.EncodeToString(sum[:8])
}

// stale reports whether the named table is a roll-up whose files in a state were computed
// by another declaration than today's, or never. It must then be computed from its source;
// the next commit does so for good.
func (w *Warehouse) stale(st *state, name string) (Rollup, bool) {
	want, ok := w.definitions[name]
	if !ok {
		return Rollup{}, false
	}
	at := slices.IndexFunc(w.schema.Rollups, func(r Rollup) bool { return r.Table.Name == name })
	r, files := w.schema.Rollups[at], st.files[name]
	if len(files) == 0 {
		return r, len(st.files[r.Source]) > 0
	}
	return r, slices.ContainsFunc(files, func(f dataFile) bool { return f.definition != want })
}

// RenewRollups computes again, in a snapshot of its own, the roll-ups of the current
// snapshot that an earlier version of the program declared differently. It reports whether
// there were any. Until then queries compute them from their source, which takes longer.
func (w *Warehouse) RenewRollups(ctx context.Context, scope tenant.Scope) (bool, error) {
	if err := scope.Check(); err != nil {
		return false, err
	}
	for range maxRedo {
		base, err := w.currentState(ctx, scope)
		if err != nil {
			return false, err
		}
		// A roll-up of no rows has no file that could say how it was computed.
		if !slices.ContainsFunc(w.schema.Rollups, func(r Rollup) bool {
			_, stale := w.stale(base, r.Table.Name)
			return stale && len(base.files[r.Table.Name]) > 0
		}) {
			return false, nil
		}
		s, err := w.scratch(ctx, scope)
		if err != nil {
			return false, err
		}
		p := &plan{base: base, next: base, changed: map[string]tableChange{}, read: map[string]bool{}}
		err = s.rebuildRollups(ctx, p, map[string][]quantity.Day{})
		if err == nil {
			_, err = w.install(ctx, scope, p, "rollups", "roll-ups computed again after an upgrade", nil)
		}
		if err != nil && !errors.Is(err, metadb.ErrOutcomeUnknown) {
			s.discard(p)
		}
		if cerr := s.Close(); err == nil {
			err = cerr
		}
		if !errors.Is(err, errMoved) {
			return err == nil, err
		}
	}
	return false, fault.Newf(fault.Conflict, "imports kept changing the data: the roll-ups are computed again with the next one")
}

// rebuildRollups recomputes, in the plan's next state, the months that changed; all of
// them when a joined table changed, or the roll-up's declaration has since it was computed.
func (s *Session) rebuildRollups(ctx context.Context, p *plan, touched map[string][]quantity.Day) error {
	for _, r := range s.w.schema.Rollups {
		months := touched[r.Source]
		_, stale := s.w.stale(p.next, r.Table.Name)
		all := stale || slices.ContainsFunc(r.Joins, func(t string) bool { _, ok := p.changed[t]; return ok })
		if len(months) == 0 && !all {
			continue
		}
		p.read[r.Source], p.read[r.Table.Name] = true, true
		for _, j := range r.Joins {
			p.read[j] = true
		}
		start := time.Now()
		if err := s.rebuildRollup(ctx, p, r, months, all); err != nil {
			return fmt.Errorf("roll-up %s: %w", r.Table.Name, err)
		}
		s.w.log.DebugContext(ctx, "roll-up rebuilt", slog.String("table", r.Table.Name), slog.Duration("elapsed", time.Since(start)))
		if all {
			months = nil
			for _, f := range p.next.files[r.Source] {
				if !f.from.IsZero() {
					months = append(months, quantity.Period{From: f.from.Month(), To: f.to.AddMonths(1)}.Months()...)
				}
			}
		}
		touched[r.Table.Name] = monthsOf(months)
	}
	return nil
}

func (s *Session) rebuildRollup(ctx context.Context, p *plan, r Rollup, months []quantity.Day, all bool) error {
	old := p.next.files[r.Table.Name]
	in, kept := old, []dataFile(nil)
	if !all {
		in, kept = inParts(old, partsOf(r.Table, months))
	} else {
		months = nil
	}
	name := s.table("rollup")
	if err := s.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS %s", name, s.w.rollupSQL(p.next, r, months))); err != nil {
		return err
	}
	sel := fmt.Sprintf("SELECT %s FROM %s", columnList(r.Table, ""), name)
	if len(in) > 0 && !all {
		sel = fmt.Sprintf("SELECT %s FROM (%s) WHERE date_trunc('month', %s) NOT IN (%s)\nUNION ALL\n%s", columnList(r.Table, ""), s.w.relation(r.Table, in), QuoteIdent(r.Table.Month), dayList(months), sel)
	}
	_, err := s.replaceParts(ctx, p, r.Table, in, kept, sel)
	if derr := s.Exec(ctx, "DROP TABLE "+name); err == nil {
		err = derr
	}
	return err
}

// rollupSQL is the roll-up's SELECT over a state's files, limited to the months (all when
// none are given).
func (w *Warehouse) rollupSQL(st *state, r Rollup, months []quantity.Day) string {
	source, _ := w.table(r.Source)
	files := st.files[r.Source]
	sourceSQL := w.relation(source, files)
	if len(months) > 0 {
		files, _ = inParts(files, partsOf(source, months))
		sourceSQL = fmt.Sprintf("SELECT * FROM (%s) WHERE date_trunc('month', %s) IN (%s)", w.relation(source, files), QuoteIdent(source.Month), dayList(months))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "WITH %s AS NOT MATERIALIZED (%s)", QuoteIdent(r.Source), sourceSQL)
	for _, j := range r.Joins {
		t, _ := w.table(j)
		fmt.Fprintf(&b, ", %s AS NOT MATERIALIZED (%s)", QuoteIdent(j), w.relation(t, st.files[j]))
	}
	if rest, ok := strings.CutPrefix(r.SQL, "WITH "); ok {
		return b.String() + ", " + rest
	}
	return b.String() + " " + r.SQL
}
