package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Edit changes rows of a table where they stand, in every snapshot that is kept: the one
// way to change history, for data that must not be there at all.
type Edit struct {
	Table string
	// Rows is the SQL condition, over the table as r and the session's relations, of the rows
	// that change. Files without such a row stay as they are.
	Rows string
	// Set is the SQL of the new values by column. The other columns, the number and the order
	// of the rows stay; so must what a roll-up sums.
	Set map[string]string
}

// Rewriting is a set of edits that take effect together or not at all.
type Rewriting struct {
	Edits   []Edit
	Kind    string // kept with the snapshot that marks it
	Message string
	// Within runs in the transaction that swaps the files, as in Change.
	Within func(ctx context.Context, tx *metadb.Tx, out Rewritten) error
}

// Rewritten is what a rewriting did.
type Rewritten struct {
	Snapshot Snapshot // marks the rewriting; it shows what the one before shows
	Epoch    int64    // see Epoch
	Files    []RewrittenFile
}

// RewrittenFile is a file before and after, by name below the tenant's folder.
type RewrittenFile struct {
	Table        string `json:"table"`
	Before       string `json:"before"`
	After        string `json:"after"`
	BeforeSHA256 string `json:"before_sha256"`
	AfterSHA256  string `json:"after_sha256"`
	Rows         int64  `json:"rows"` // changed in it
}

// Affected is what an edit would change.
type Affected struct {
	Table     string `json:"table"`
	Rows      int64  `json:"rows"`      // distinct rows, in whichever snapshot
	Current   int64  `json:"current"`   // those that the current snapshot shows
	Files     int    `json:"files"`     // that would be rewritten
	Snapshots int    `json:"snapshots"` // that show one of these files
}

// Epoch counts the rewritings of a tenant's history, as Current last saw it. What is kept of
// a snapshot, in memory or elsewhere, is valid only for the epoch in which it was read: ask
// Current first, then this, and make both part of the key.
func (w *Warehouse) Epoch(scope tenant.Scope) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.epochs[scope.Tenant]
}

func epochKey(scope tenant.Scope) string { return "erasure_epoch:" + string(scope.Tenant) }

func readEpoch(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) (int64, error) {
	var v string
	err := tx.One(ctx, queries.Get("control_value"), []any{epochKey(scope)}, &v)
	if errors.Is(err, metadb.ErrNoRow) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("erasure epoch: %w", err)
	}
	return strconv.ParseInt(v, 10, 64)
}

// everFile is a file of some kept snapshot: the same file may be listed more than once,
// when a rollback showed it again.
type everFile struct {
	dataFile
	table    string
	tableID  int64
	from, to int64 // first snapshot that shows it, first that does not; to is 0 while it is shown
}

func (w *Warehouse) everFiles(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) ([]everFile, error) {
	rows, err := tx.Query(ctx, queries.Get("ever_files"), string(scope.Tenant))
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	defer rows.Close()
	var out []everFile
	for rows.Next() {
		f := everFile{}
		var sum, lo, hi, definition *string
		if err := rows.Scan(&f.table, &f.tableID, &f.id, &f.rel, &f.from, &f.to, &f.rows, &f.bytes, &f.footer, &sum, &lo, &hi, &definition); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
		if err := f.locate(w.tableDir(scope, f.table), sum, lo, hi, definition); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// ever lists the files of all kept snapshots by table, each file once.
func (w *Warehouse) ever(ctx context.Context, scope tenant.Scope) (epoch int64, listed []everFile, byTable map[string][]everFile, err error) {
	err = w.db.Read(ctx, func(tx *metadb.Tx) (err error) {
		if epoch, err = readEpoch(ctx, tx, scope); err != nil {
			return err
		}
		listed, err = w.everFiles(ctx, tx, scope)
		return err
	})
	byTable = map[string][]everFile{}
	for _, f := range listed {
		if !slices.ContainsFunc(byTable[f.table], func(o everFile) bool { return o.rel == f.rel }) {
			byTable[f.table] = append(byTable[f.table], f)
		}
	}
	return epoch, listed, byTable, err
}

// ViewEver makes every row that any kept snapshot shows readable in the session, as views in
// a schema of that name. A row that was changed is there once for each file that holds it.
func (s *Session) ViewEver(ctx context.Context, schema string) error {
	_, _, byTable, err := s.w.ever(ctx, s.scope)
	if err != nil {
		return err
	}
	if err := s.Exec(ctx, "CREATE SCHEMA "+QuoteIdent(schema)); err != nil {
		return err
	}
	for _, t := range s.w.schema.Tables {
		var files []dataFile
		for _, f := range byTable[t.Name] {
			files = append(files, f.dataFile)
		}
		if err := s.Exec(ctx, "CREATE VIEW "+QuoteIdent(schema)+"."+QuoteIdent(t.Name)+" AS "+s.w.relation(t, files)); err != nil {
			return err
		}
	}
	return nil
}

// Affected counts what edits would change, leaving out those that would change nothing.
func (s *Session) Affected(ctx context.Context, edits []Edit) ([]Affected, error) {
	_, listed, byTable, err := s.w.ever(ctx, s.scope)
	if err != nil {
		return nil, err
	}
	snaps, err := s.w.Snapshots(ctx, s.scope)
	if err != nil {
		return nil, err
	}
	out := []Affected{}
	for _, e := range edits {
		t, ok := s.w.table(e.Table)
		if !ok {
			return nil, fmt.Errorf("edit: no table %q", e.Table)
		}
		a := Affected{Table: e.Table}
		hits, found, err := s.matching(ctx, t, byTable[e.Table], e)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			continue
		}
		current := []string{"''"}
		shown := map[Snapshot]bool{}
		for _, f := range listed {
			if f.table != e.Table || found[f.path] == 0 {
				continue
			}
			if f.to == 0 {
				current = append(current, QuoteText(f.path))
			}
			for _, sn := range snaps {
				if int64(sn.ID) >= f.from && (f.to == 0 || int64(sn.ID) < f.to) {
					shown[sn.ID] = true
				}
			}
		}
		a.Files, a.Snapshots = len(found), len(shown)
		if err := s.one(ctx, fmt.Sprintf("SELECT count(DISTINCT id), count(DISTINCT id) FILTER (file IN (%s)) FROM %s", strings.Join(current, ", "), hits), &a.Rows, &a.Current); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// matching finds the rows that an edit changes: a table of them, with their file and what
// tells them apart, and how many there are by the path of their file.
func (s *Session) matching(ctx context.Context, t Table, files []everFile, e Edit) (hits string, found map[string]int64, err error) {
	found = map[string]int64{}
	if len(files) == 0 {
		return "", found, nil
	}
	plain := make([]dataFile, len(files))
	for i, f := range files {
		plain[i] = f.dataFile
	}
	named := strings.TrimSuffix(s.w.relation(t, plain), ")") + ", filename = true)"
	id := "r.row_id"
	if s.w.definitions[t.Name] != "" { // roll-ups have no keys
		var columns []string
		for _, c := range t.Columns {
			columns = append(columns, QuoteIdent(c.Name)+" := r."+QuoteIdent(c.Name))
		}
		id = "struct_pack(" + strings.Join(columns, ", ") + ")"
	}
	hits = s.table("hits")
	if err := s.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS SELECT r.filename AS file, %s AS id FROM (%s) r WHERE %s", hits, id, named, e.Rows)); err != nil {
		return "", nil, err
	}
	err = s.Each(ctx, "SELECT file, count(*) FROM "+hits+" GROUP BY 1", func(row []any) error {
		found[row[0].(string)] = row[1].(int64)
		return nil
	})
	return hits, found, err
}

// swap is a file that takes another's place wherever that one is listed.
type swap struct {
	table string
	was   everFile
	next  dataFile
	rows  int64
}

// Rewrite carries edits out in all kept snapshots. New files are written and made durable
// first; one transaction then lists them in place of the old ones, with what Within writes,
// and begins a new epoch. A process that is killed leaves either all as before or all
// rewritten; the files that are not listed any more are removed by SweepNow. Snapshots keep
// their numbers, times and row order. Closed months are not looked at: no amount changes.
// An error that is metadb.ErrOutcomeUnknown may stand for a rewriting that happened.
func (s *Session) Rewrite(ctx context.Context, r Rewriting) (Rewritten, error) {
	for range maxRedo {
		epoch, listed, byTable, err := s.w.ever(ctx, s.scope)
		if err != nil {
			return Rewritten{}, err
		}
		swaps, err := s.writeSwaps(ctx, byTable, r.Edits)
		var out Rewritten
		if err == nil {
			out, err = s.w.installSwaps(ctx, s.scope, epoch, listed, swaps, r)
		}
		if err == nil {
			s.w.forget(ctx)
			_, err = s.w.Current(ctx, s.scope) // learns the new epoch
			return out, err
		}
		if errors.Is(err, metadb.ErrOutcomeUnknown) {
			return Rewritten{}, unconfirmed(err)
		}
		for _, sw := range swaps {
			os.Remove(sw.next.path)
		}
		if !errors.Is(err, errMoved) {
			return Rewritten{}, err
		}
	}
	return Rewritten{}, fault.Newf(fault.Conflict, "imports kept changing the data: try again when they are done; nothing was changed")
}

func (s *Session) writeSwaps(ctx context.Context, byTable map[string][]everFile, edits []Edit) ([]swap, error) {
	var swaps []swap
	for _, e := range edits {
		t, ok := s.w.table(e.Table)
		if !ok {
			return swaps, fmt.Errorf("edit: no table %q", e.Table)
		}
		var replaced []string
		for _, c := range t.Columns {
			if v, ok := e.Set[c.Name]; ok {
				replaced = append(replaced, fmt.Sprintf("CAST(%s AS %s) AS %s", v, c.Type, QuoteIdent(c.Name)))
			}
		}
		if len(replaced) != len(e.Set) || len(replaced) == 0 {
			return swaps, fmt.Errorf("edit: columns %v of %s", slices.Sorted(maps.Keys(e.Set)), e.Table)
		}
		_, found, err := s.matching(ctx, t, byTable[e.Table], e)
		if err != nil {
			return swaps, err
		}
		for _, f := range byTable[e.Table] {
			n := found[f.path]
			if n == 0 {
				continue
			}
			next, err := s.writeFile(ctx, t, f.part, fmt.Sprintf("SELECT r.* REPLACE (%s) FROM (%s) r", strings.Join(replaced, ", "), s.w.relation(t, []dataFile{f.dataFile})))
			if next.path != "" {
				next.definition = f.definition // it was computed when the old one was
				swaps = append(swaps, swap{e.Table, f, next, n})
			}
			if err != nil {
				return swaps, err
			}
			if next.rows != f.rows {
				return swaps, fmt.Errorf("rewrite %s/%s: %d rows became %d", e.Table, f.rel, f.rows, next.rows)
			}
		}
	}
	return swaps, nil
}

// installSwaps lists new files in place of old ones. It returns errMoved when the catalog
// is not what the files were written from.
func (w *Warehouse) installSwaps(ctx context.Context, scope tenant.Scope, epoch int64, listed []everFile, swaps []swap, r Rewriting) (Rewritten, error) {
	var out Rewritten
	err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
		out = Rewritten{Epoch: epoch + 1}
		if err := lockCatalog(ctx, tx); err != nil {
			return err
		}
		now, err := readEpoch(ctx, tx, scope)
		if err != nil {
			return err
		}
		files, err := w.everFiles(ctx, tx, scope)
		if err != nil {
			return err
		}
		if now != epoch || !slices.EqualFunc(files, listed, func(a, b everFile) bool { return a.id == b.id && a.to == b.to }) {
			return errMoved
		}
		snap, err := lastSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		snap.id++
		touched := map[int64]bool{}
		for _, sw := range swaps {
			for _, f := range listed {
				if f.table != sw.table || f.rel != sw.was.rel {
					continue
				}
				if err := w.swapFile(ctx, tx, &snap, f, sw.next); err != nil {
					return fmt.Errorf("catalog %s: %w", sw.table, err)
				}
				touched[f.tableID] = true
			}
			if err := w.release(ctx, tx, sw.next.path); err != nil {
				return err
			}
			out.Files = append(out.Files, RewrittenFile{sw.table, sw.table + "/" + sw.was.rel, sw.table + "/" + sw.next.rel, sw.was.sha256, sw.next.sha256, sw.rows})
		}
		var changes []string
		for _, id := range slices.Sorted(maps.Keys(touched)) {
			if _, err := tx.Exec(ctx, queries.Get("sum_table_bytes"), id); err != nil {
				return err
			}
			changes = append(changes, fmt.Sprintf("compacted_table:%d", id))
		}
		if err := w.insertSnapshot(ctx, tx, scope, snap, changes, r.Kind, r.Message); err != nil {
			return err
		}
		out.Snapshot = Snapshot(snap.id)
		if _, err := tx.Exec(ctx, queries.Get("set_control"), epochKey(scope), strconv.FormatInt(out.Epoch, 10)); err != nil {
			return err
		}
		if r.Within == nil {
			return nil
		}
		return r.Within(ctx, tx, out)
	})
	return out, err
}

// swapFile gives one listing of a file the new file, under an id of its own: a commit that
// was prepared on the old one then sees that it is gone.
func (w *Warehouse) swapFile(ctx context.Context, tx *metadb.Tx, snap *snapshotRow, was everFile, next dataFile) error {
	next.id = snap.nextFileID
	snap.nextFileID++
	if n, err := tx.Exec(ctx, queries.Get("swap_file"), was.id, next.id, next.rel, next.bytes, next.footer); err != nil {
		return err
	} else if n != 1 {
		return errMoved
	}
	for _, q := range []string{"delete_file_stats", "delete_file_extra"} {
		if _, err := tx.Exec(ctx, queries.Get(q), was.id); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, queries.Get("insert_file_extra"), next.id, next.sha256, textOrNil(was.dataFile.from.String()), textOrNil(was.dataFile.to.String()), textOrNil(next.definition)); err != nil {
		return err
	}
	return insertStats(ctx, tx, was.tableID, next)
}

// forget drops what is kept in memory of the tenants' files.
func (w *Warehouse) forget(ctx context.Context) {
	w.mu.Lock()
	clear(w.states)
	w.mu.Unlock()
	w.held.forget(ctx)
}
