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
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %v %d %q %q", r.Source, r.Table.Columns, r.Keys, r.Joins, r.Rows))
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
// snapshot that an earlier version of the program declared differently or not at all. It reports whether
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
		if !slices.ContainsFunc(w.schema.Rollups, func(r Rollup) bool { _, stale := w.stale(base, r.Table.Name); return stale }) {
			return false, nil
		}
		s, err := w.scratch(ctx, scope)
		if err != nil {
			return false, err
		}
		p := &plan{base: base, next: base, changed: map[string]tableChange{}, read: map[string]bool{}}
		err = s.rebuildRollups(ctx, p, map[string][]quantity.Day{})
		var out Outcome
		if err == nil {
			out, err = w.install(ctx, scope, p, "rollups", "roll-ups computed again after an upgrade", nil)
		}
		if err != nil && !errors.Is(err, metadb.ErrOutcomeUnknown) {
			s.discard(p)
		}
		if cerr := s.Close(); err == nil {
			err = cerr
		}
		if !errors.Is(err, errMoved) {
			return out.Changed && err == nil, err
		}
	}
	return false, fault.Newf(fault.Conflict, "imports kept changing the data: the roll-ups are computed again with the next one")
}

// rebuildRollups recomputes, in the plan's next state, the months that changed; all of
// them when a joined table changed, or the roll-up's declaration has since it was computed.
func (s *Session) rebuildRollups(ctx context.Context, p *plan, touched map[string][]quantity.Day) error {
	rest := s.w.schema.Rollups
	for len(rest) > 0 {
		first := rest[0]
		var same []Rollup
		same, rest = partition(rest, first.sameRows)
		stale, current := partition(same, func(r Rollup) bool { _, stale := s.w.stale(p.next, r.Table.Name); return stale })
		months := touched[first.Source]
		if slices.ContainsFunc(first.Joins, func(t string) bool { _, ok := p.changed[t]; return ok }) {
			stale, current = same, nil
		}
		if len(stale) > 0 {
			if err := s.rebuildPass(ctx, p, stale, nil); err != nil {
				return err
			}
		}
		if len(current) > 0 && len(months) > 0 {
			if err := s.rebuildPass(ctx, p, current, months); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r Rollup) sameRows(o Rollup) bool {
	return r.Source == o.Source && r.Rows == o.Rows && slices.Equal(r.Joins, o.Joins)
}

func partition[T any](in []T, fits func(T) bool) (yes, no []T) {
	for _, x := range in {
		if fits(x) {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
	}
	return yes, no
}

// rebuildPass recomputes roll-ups of the same rows: the months, all when none are given.
func (s *Session) rebuildPass(ctx context.Context, p *plan, rollups []Rollup, months []quantity.Day) error {
	start, first := time.Now(), rollups[0]
	for _, t := range append([]string{first.Source}, first.Joins...) {
		p.read[t] = true
	}
	sums := s.table("rollup")
	if err := s.Exec(ctx, fmt.Sprintf("CREATE TEMP TABLE %s AS %s", sums, s.w.sumsSQL(p.next, rollups, months))); err != nil {
		return fmt.Errorf("roll-ups of %s: %w", first.Source, err)
	}
	for at, r := range rollups {
		p.read[r.Table.Name] = true
		in, kept := p.next.files[r.Table.Name], []dataFile(nil)
		sel := ofRollup(rollups, at, sums)
		if len(months) > 0 {
			if in, kept = inParts(in, partsOf(r.Table, months)); len(in) > 0 {
				sel = fmt.Sprintf("SELECT %s FROM (%s) WHERE date_trunc('month', %s) NOT IN (%s)\nUNION ALL\n%s", columnList(r.Table, ""), s.w.relation(r.Table, in), QuoteIdent(r.Table.Month), dayList(months), sel)
			}
		}
		if _, err := s.replaceParts(ctx, p, r.Table, in, kept, sel); err != nil {
			return fmt.Errorf("roll-up %s: %w", r.Table.Name, err)
		}
	}
	s.w.log.DebugContext(ctx, "roll-ups rebuilt", slog.String("source", first.Source), slog.Int("tables", len(rollups)), slog.Duration("elapsed", time.Since(start)))
	return s.Exec(ctx, "DROP TABLE "+sums)
}

// setColumn tells whose sums a row of sumsSQL holds: a bit for each key, set when the
// roll-up lacks it.
const setColumn = "_lacks"

// sumsSQL is the sums of roll-ups of the same rows over a state's files, limited to the
// months (all when none are given). ofRollup takes one of them out.
func (w *Warehouse) sumsSQL(st *state, rollups []Rollup, months []quantity.Day) string {
	r := rollups[0]
	source, _ := w.table(r.Source)
	files := st.files[r.Source]
	sourceSQL := w.relation(source, files)
	if len(months) > 0 {
		files, _ = inParts(files, partsOf(source, months))
		sourceSQL = fmt.Sprintf("SELECT * FROM (%s) WHERE date_trunc('month', %s) IN (%s)", w.relation(source, files), QuoteIdent(source.Month), dayList(months))
	}
	ctes := []string{QuoteIdent(r.Source) + " AS NOT MATERIALIZED (" + sourceSQL + ")"}
	for _, j := range r.Joins {
		t, _ := w.table(j)
		ctes = append(ctes, QuoteIdent(j)+" AS NOT MATERIALIZED ("+w.relation(t, st.files[j])+")")
	}
	keys := allKeys(rollups)
	columns := append([]string{"grouping_id(" + strings.Join(keys, ", ") + ") AS " + setColumn}, keys...)
	var sets []string
	for _, r := range rollups {
		var set []string
		for i, c := range r.Table.Columns {
			name := QuoteIdent(c.Name)
			if i < r.Keys {
				set = append(set, name)
			} else if sum := "sum(" + name + ")::" + string(c.Type) + " AS " + name; !slices.Contains(columns, sum) {
				columns = append(columns, sum)
			}
		}
		sets = append(sets, "("+strings.Join(set, ", ")+")")
	}
	return withCTEs(ctes, "SELECT "+strings.Join(columns, ", ")+" FROM ("+r.Rows+") GROUP BY GROUPING SETS ("+strings.Join(sets, ", ")+")")
}

// allKeys returns the keys that any of the roll-ups has, quoted.
func allKeys(rollups []Rollup) []string {
	var keys []string
	for _, r := range rollups {
		for _, c := range r.Table.Columns[:r.Keys] {
			if k := QuoteIdent(c.Name); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// ofRollup is the SELECT of one roll-up's columns from a relation with the sums of all.
func ofRollup(rollups []Rollup, at int, relation string) string {
	r := rollups[at]
	lacks := 0
	for _, k := range allKeys(rollups) {
		lacks <<= 1
		if !slices.ContainsFunc(r.Table.Columns[:r.Keys], func(c Column) bool { return QuoteIdent(c.Name) == k }) {
			lacks++
		}
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s = %d", columnList(r.Table, ""), relation, setColumn, lacks)
}

// rollupSQL is one roll-up's SELECT over a state's files, limited to the months (all when
// none are given).
func (w *Warehouse) rollupSQL(st *state, r Rollup, months []quantity.Day) string {
	return "SELECT " + columnList(r.Table, "") + " FROM (" + w.sumsSQL(st, []Rollup{r}, months) + ")"
}
