package warehouse

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// state is the file list of one tenant's snapshot. It is never changed once built.
type state struct {
	snapshot Snapshot
	epoch    int64                 // in which the files were listed, see Epoch
	files    map[string][]dataFile // by table name
}

// dataFile is one Parquet file of a table.
type dataFile struct {
	id       int64
	order    int64  // file_order and row_id_start: a file keeps its row ids when a rollback shows it again
	path     string // absolute
	rel      string // as the catalog holds it: part and file name, below the table's folder
	part     string // "2026-03", "2026" for a year's small months, "undated" or "all"
	rows     int64
	bytes    int64
	footer   int64
	sha256   string
	from, to quantity.Day // first and last date held; zero when undated
	stats    []columnStats
	// definition is that by which a roll-up's file was computed; "" for other files and for
	// those of early versions.
	definition string
}

// columnStats is what the catalog keeps of one column of one file.
type columnStats struct {
	column        int
	bytes         int64
	values, nulls int64
	min, max      *string
}

// touches reports whether the file can hold a date in the period.
func (f dataFile) touches(p quantity.Period) bool {
	if f.from.IsZero() {
		return true
	}
	return (p.To.IsZero() || f.from.Before(p.To)) && (p.From.IsZero() || !f.to.Before(p.From))
}

// table returns the declaration of a stored table or roll-up.
func (w *Warehouse) table(name string) (Table, bool) {
	t, ok := w.byName[name]
	return t, ok
}

// relation returns a SELECT over the given files of a table, with every declared column:
// files written before a column was added read as null there.
func (w *Warehouse) relation(t Table, files []dataFile) string {
	var b strings.Builder
	if len(files) == 0 {
		b.WriteString("SELECT ")
		for i, c := range t.Columns {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "NULL::%s AS %s", c.Type, QuoteIdent(c.Name))
		}
		b.WriteString(" WHERE false")
		return b.String()
	}
	b.WriteString("SELECT * FROM read_parquet([")
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteText(f.path))
	}
	b.WriteString("], schema = MAP {")
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d: {name: %s, type: %s, default_value: NULL}", c.ID, QuoteText(c.Name), QuoteText(string(c.Type)))
	}
	b.WriteString("})")
	return b.String()
}

// withTables puts the statement's tables and helpers in front of its SQL as common
// tables; small ones are held in memory. The caller calls release after the statement.
func (w *Warehouse) withTables(ctx context.Context, scope tenant.Scope, st *state, q Statement) (text string, release func(), err error) {
	var releases []func()
	free := func() {
		for _, f := range releases {
			f()
		}
	}
	defer func() {
		if err != nil { // release is nil then
			free()
		}
	}()
	var ctes []string
	kept := func(relation string, small bool) (string, error) {
		if !small {
			return relation, nil
		}
		table, done, err := w.held.hold(ctx, relation)
		switch {
		case err == nil:
			releases = append(releases, done)
			return "SELECT * FROM memory.main." + table, nil
		case fault.KindOf(err) == fault.TooLarge:
			// An import needs the memory, or they are too many: read the files, as large tables are.
			return relation, nil
		}
		return "", err
	}
	for _, u := range q.Uses {
		t, ok := w.table(u.Name)
		if !ok {
			return "", nil, fault.Newf(fault.NotFound, "there is no table %q", u.Name)
		}
		files, n := st.files[u.Name], sumRows(st.files[u.Name])
		small := n > 0 && n <= maxHeldRows
		if !small {
			files = prune(files, u.Period)
		}
		relation := w.relation(t, files)
		if r, stale := w.stale(st, u.Name); stale {
			at := st
			if !small {
				at = st.with(r.Source, prune(st.files[r.Source], u.Period))
			}
			relation = w.rollupSQL(at, r, nil)
		}
		if b, ok := q.Blends[u.Name]; ok {
			if relation, err = w.blended(ctx, scope, st, t, b); err != nil {
				return "", nil, err
			}
			small = false // hardly asked for twice
		}
		if relation, err = kept(relation, small); err != nil {
			return "", nil, err
		}
		ctes = append(ctes, common(u.Name, relation))
	}
	var helper func(h Helper) (string, error)
	helper = func(h Helper) (string, error) {
		var reads []string
		var n int64
		for _, name := range h.Tables {
			t, ok := w.table(name)
			if !ok {
				return "", fault.Newf(fault.NotFound, "there is no table %q", name)
			}
			n += sumRows(st.files[name])
			relation := w.relation(t, st.files[name])
			if b, ok := q.Blends[name]; ok {
				var err error
				if relation, err = w.blended(ctx, scope, st, t, b); err != nil {
					return "", err
				}
				n += maxHeldRows // hardly asked for twice
			}
			if r, stale := w.stale(st, name); stale {
				relation = w.rollupSQL(st, r, nil)
			}
			reads = append(reads, common(name, relation))
		}
		for _, of := range h.Of {
			relation, err := helper(of)
			if err != nil {
				return "", err
			}
			reads = append(reads, common(of.Name, relation))
		}
		return kept(withCTEs(reads, h.SQL), n <= maxHeldRows || h.Sums)
	}
	for _, h := range q.Helpers {
		relation, err := helper(h)
		if err != nil {
			return "", nil, err
		}
		ctes = append(ctes, common(h.Name, relation))
	}
	return withCTEs(ctes, q.SQL), free, nil
}

func common(name, relation string) string {
	return QuoteIdent(name) + " AS NOT MATERIALIZED (" + relation + ")"
}

// withCTEs puts common tables in front of a statement that may have some itself.
func withCTEs(ctes []string, text string) string {
	if len(ctes) == 0 {
		return text
	}
	head := "WITH " + strings.Join(ctes, ", ")
	if rest, ok := strings.CutPrefix(text, "WITH "); ok {
		return head + ", " + rest
	}
	return head + " " + text
}

func prune(files []dataFile, p quantity.Period) []dataFile {
	if p == (quantity.Period{}) {
		return files
	}
	kept := make([]dataFile, 0, len(files))
	for _, f := range files {
		if f.touches(p) {
			kept = append(kept, f)
		}
	}
	return kept
}

// currentState returns the tenant's newest state.
func (w *Warehouse) currentState(ctx context.Context, scope tenant.Scope) (*state, error) {
	snap, err := w.Current(ctx, scope)
	if err != nil {
		return nil, err
	}
	return w.stateAt(ctx, scope, snap)
}

// stateAt returns the state of a snapshot of this tenant, from memory when it was used
// lately: within an epoch, snapshots never change.
func (w *Warehouse) stateAt(ctx context.Context, scope tenant.Scope, snap Snapshot) (*state, error) {
	w.mu.Lock()
	epoch, seen := w.epochs[scope.Tenant]
	st, known := w.states[stateKey{scope.Tenant, snap, epoch}]
	w.mu.Unlock()
	if known && seen {
		return st, nil
	}
	st = &state{snapshot: snap, files: map[string][]dataFile{}}
	err := w.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		if st.epoch, err = readEpoch(ctx, tx, scope); err != nil || snap == 0 {
			return err
		}
		if err := hasSnapshot(ctx, tx, scope, snap); err != nil {
			return err
		}
		clear(st.files)
		return w.loadFiles(ctx, tx, scope, snap, st)
	})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	if len(w.states) >= 64 { // a file list is some 10 kB; forget all rather than track use
		clear(w.states)
	}
	w.states[stateKey{scope.Tenant, snap, st.epoch}] = st
	w.epochs[scope.Tenant] = max(st.epoch, w.epochs[scope.Tenant])
	w.mu.Unlock()
	return st, nil
}

// hasSnapshot returns a NotFound fault unless the snapshot is one of the tenant's.
func hasSnapshot(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, snap Snapshot) error {
	var n int64
	if err := tx.One(ctx, queries.Get("tenant_has_snapshot"), []any{string(scope.Tenant), int64(snap)}, &n); err != nil {
		return err
	}
	if n == 0 {
		return fault.Newf(fault.NotFound, "snapshot %d does not exist, or has expired: list them with moatmetrics snapshots", snap)
	}
	return nil
}

func (w *Warehouse) loadFiles(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, snap Snapshot, st *state) error {
	rows, err := tx.Query(ctx, queries.Get("files_of_snapshot"), string(scope.Tenant), int64(snap))
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var f dataFile
		var sum, lo, hi, definition *string
		if err := rows.Scan(&name, &f.id, &f.order, &f.rel, &f.rows, &f.bytes, &f.footer, &sum, &lo, &hi, &definition); err != nil {
			return fmt.Errorf("catalog: %w", err)
		}
		if err := f.locate(w.tableDir(scope, name), sum, lo, hi, definition); err != nil {
			return err
		}
		st.files[name] = append(st.files[name], f)
	}
	return rows.Err()
}

// locate fills what follows from a file's name and from what may be null in the catalog.
func (f *dataFile) locate(dir string, sum, lo, hi, definition *string) (err error) {
	if definition != nil {
		f.definition = *definition
	}
	if sum != nil {
		f.sha256 = *sum
	}
	f.part, _, _ = strings.Cut(f.rel, "/")
	f.path = filepath.Join(dir, filepath.FromSlash(f.rel))
	if lo == nil || hi == nil {
		return nil
	}
	if f.from, err = quantity.ParseDay(*lo); err != nil {
		return fmt.Errorf("catalog: file %s: %w", f.rel, err)
	}
	if f.to, err = quantity.ParseDay(*hi); err != nil {
		return fmt.Errorf("catalog: file %s: %w", f.rel, err)
	}
	return nil
}

// with returns a state like st in which the named table has other files.
func (st *state) with(table string, files []dataFile) *state {
	next := &state{snapshot: st.snapshot, epoch: st.epoch, files: make(map[string][]dataFile, len(st.files)+1)}
	for name, fs := range st.files {
		next.files[name] = fs
	}
	next.files[table] = files
	return next
}

// inParts splits files into those of the named parts and the others.
func inParts(files []dataFile, parts map[string]bool) (in, out []dataFile) {
	for _, f := range files {
		if parts[f.part] {
			in = append(in, f)
		} else {
			out = append(out, f)
		}
	}
	return in, out
}

func sumRows(files []dataFile) int64 {
	var n int64
	for _, f := range files {
		n += f.rows
	}
	return n
}

// monthsOf returns the sorted distinct first days of months.
func monthsOf(days []quantity.Day) []quantity.Day {
	out := slices.Clone(days)
	slices.SortFunc(out, func(a, b quantity.Day) int { return a.Time().Compare(b.Time()) })
	return slices.Compact(out)
}
