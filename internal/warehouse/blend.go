package warehouse

import (
	"context"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Blend is a table between two snapshots: as it was Before, with the rows that were added,
// changed or removed since, or without them. Rows are told apart by row_id.
type Blend struct {
	Before                  Snapshot
	Added, Changed, Removed bool
}

// Difference counts the rows of a table that two snapshots do not share.
type Difference struct {
	Table                   string
	Added, Changed, Removed int64
}

// apart returns the files of a table that both snapshots have, and those of each alone. Files
// are never changed, so rows can only differ in the latter.
func apart(now, then []dataFile) (shared, added, removed []dataFile) {
	has := func(files []dataFile, id int64) bool {
		return slices.ContainsFunc(files, func(f dataFile) bool { return f.id == id })
	}
	for _, f := range now {
		if has(then, f.id) {
			shared = append(shared, f)
		} else {
			added = append(added, f)
		}
	}
	return shared, added, slices.DeleteFunc(slices.Clone(then), func(f dataFile) bool { return has(now, f.id) })
}

// blended is a table between two snapshots.
func (w *Warehouse) blended(ctx context.Context, scope tenant.Scope, st *state, t Table, b Blend) (string, error) {
	before, err := w.stateAt(ctx, scope, b.Before)
	if err != nil {
		return "", err
	}
	shared, added, removed := apart(st.files[t.Name], before.files[t.Name])
	now, then := "("+w.relation(t, added)+")", "("+w.relation(t, removed)+")"
	kept := now + " n WHERE n.row_id IN (SELECT row_id FROM " + then + ")"
	if !b.Changed {
		kept = then + " n WHERE n.row_id IN (SELECT row_id FROM " + now + ")"
	}
	parts := []string{w.relation(t, shared), "SELECT * FROM " + kept}
	if b.Added {
		parts = append(parts, "SELECT * FROM "+now+" n WHERE n.row_id NOT IN (SELECT row_id FROM "+then+")")
	}
	if !b.Removed {
		parts = append(parts, "SELECT * FROM "+then+" n WHERE n.row_id NOT IN (SELECT row_id FROM "+now+")")
	}
	return strings.Join(parts, " UNION ALL "), nil
}

// Differences returns the tables, roll-ups left out, of which two snapshots differ, by name.
// Where rows came from (import and record) is no difference.
func (w *Warehouse) Differences(ctx context.Context, scope tenant.Scope, before, after Snapshot) ([]Difference, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	then, err := w.stateAt(ctx, scope, before)
	if err != nil {
		return nil, err
	}
	now, err := w.stateAt(ctx, scope, after)
	if err != nil {
		return nil, err
	}
	out := []Difference{}
	for _, t := range w.schema.Tables {
		_, added, removed := apart(now.files[t.Name], then.files[t.Name])
		if len(added)+len(removed) == 0 {
			continue
		}
		same := []string{"true"}
		for _, c := range t.Columns {
			if c.Name != "row_id" && !slices.Contains(t.Provenance, c.Name) {
				same = append(same, "a."+QuoteIdent(c.Name)+" IS NOT DISTINCT FROM b."+QuoteIdent(c.Name))
			}
		}
		rows, err := w.engine.query(ctx, "SELECT count(*) FILTER (b.row_id IS NULL), count(*) FILTER (a.row_id IS NOT NULL AND b.row_id IS NOT NULL AND NOT ("+strings.Join(same, " AND ")+
			")), count(*) FILTER (a.row_id IS NULL) FROM ("+w.relation(t, added)+") a FULL JOIN ("+w.relation(t, removed)+") b ON b.row_id = a.row_id", nil, 1, nil)
		if err != nil {
			return nil, err
		}
		d := Difference{Table: t.Name}
		for i, n := range []*int64{&d.Added, &d.Changed, &d.Removed} {
			*n, _ = rows.Rows[0][i].(int64)
		}
		if d.Added+d.Changed+d.Removed > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Table, b.Table) })
	return out, nil
}
