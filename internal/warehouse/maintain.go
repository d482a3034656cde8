package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// orphanAge is how old an unlisted file must be before the sweep takes it, lease or not.
const orphanAge = time.Hour

// Rollback makes a new snapshot that shows the files of an older one of this tenant.
// Nothing is lost by it: the snapshots between stay, and so does the schema.
func (w *Warehouse) Rollback(ctx context.Context, scope tenant.Scope, to Snapshot, within func(context.Context, *metadb.Tx, Outcome) error) (Outcome, error) {
	if err := scope.Check(); err != nil {
		return Outcome{}, err
	}
	if err := scope.Whole("snapshots"); err != nil {
		return Outcome{}, err
	}
	for range maxRedo {
		base, err := w.currentState(ctx, scope)
		if err != nil {
			return Outcome{}, err
		}
		old, err := w.stateAt(ctx, scope, to)
		if err != nil {
			return Outcome{}, err
		}
		p := &plan{base: base, next: base, shows: to, changed: map[string]tableChange{}, read: map[string]bool{}}
		for _, t := range w.allTables() {
			p.read[t.Name] = true
			ch := difference(base.files[t.Name], old.files[t.Name])
			if len(ch.ended)+len(ch.added) > 0 {
				p.changed[t.Name] = ch
				p.next = p.next.with(t.Name, old.files[t.Name])
			}
		}
		out, err := w.install(ctx, scope, p, "rollback", fmt.Sprintf("rolled back to snapshot %d", to), within)
		if errors.Is(err, metadb.ErrOutcomeUnknown) {
			return Outcome{}, unconfirmed(err)
		}
		if !errors.Is(err, errMoved) {
			return out, err
		}
	}
	return Outcome{}, fault.Newf(fault.Conflict, "imports kept changing the data: try the rollback again when they are done")
}

// difference returns what must end and begin to get from the current files to the wanted.
func difference(current, wanted []dataFile) tableChange {
	has := func(files []dataFile, rel string) bool {
		for _, f := range files {
			if f.rel == rel {
				return true
			}
		}
		return false
	}
	var ch tableChange
	for _, f := range current {
		if !has(wanted, f.rel) {
			ch.ended = append(ch.ended, f)
		}
	}
	for _, f := range wanted {
		if !has(current, f.rel) {
			ch.added = append(ch.added, f)
		}
	}
	return ch
}

// Retention says which snapshots are kept. The zero value is the default: all of 30 days,
// then the last of each month for 24 months, and always the current one.
type Retention struct {
	AllFor    time.Duration
	MonthsFor int
}

// Expire forgets snapshots that the retention does not keep, and the catalog rows of files
// that no kept snapshot shows. The files themselves are removed by Sweep. Snapshots in
// pinned are kept. It returns the number of snapshots forgotten.
func (w *Warehouse) Expire(ctx context.Context, scope tenant.Scope, r Retention, pinned map[Snapshot]bool) (int, error) {
	if r.AllFor <= 0 {
		r.AllFor = 30 * 24 * time.Hour
	}
	if r.MonthsFor <= 0 {
		r.MonthsFor = 24
	}
	list, err := w.Snapshots(ctx, scope)
	if err != nil {
		return 0, err
	}
	now := w.now()
	var kept, gone []Snapshot
	seen := map[quantity.Day]bool{}
	for i, s := range list { // newest first, so the first of a month met is its last
		month := quantity.DayOf(s.At.UTC()).Month()
		lastOfMonth := !seen[month]
		seen[month] = true
		recent := now.Sub(s.At) <= r.AllFor
		monthly := lastOfMonth && !s.At.Before(now.AddDate(0, -r.MonthsFor, 0))
		if i == 0 || recent || monthly || pinned[s.ID] {
			kept = append(kept, s.ID)
		} else {
			gone = append(gone, s.ID)
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	err = w.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := lockCatalog(ctx, tx); err != nil {
			return err
		}
		dead, err := w.unseenFiles(ctx, tx, scope, kept)
		if err != nil {
			return err
		}
		for _, id := range dead {
			for _, q := range []string{"delete_file_stats", "delete_file_extra", "delete_file"} {
				if _, err := tx.Exec(ctx, queries.Get(q), id); err != nil {
					return err
				}
			}
		}
		for _, s := range gone {
			if _, err := tx.Exec(ctx, queries.Get("delete_tenant_snapshot"), string(scope.Tenant), int64(s)); err != nil {
				return err
			}
			for _, q := range []string{"delete_snapshot", "delete_snapshot_changes"} {
				if _, err := tx.Exec(ctx, queries.Get(q), int64(s)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("expire snapshots: %w", err)
	}
	w.mu.Lock()
	clear(w.states)
	w.mu.Unlock()
	return len(gone), nil
}

// unseenFiles returns the ids of ended files of a tenant that none of the kept snapshots
// shows.
func (w *Warehouse) unseenFiles(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, kept []Snapshot) ([]int64, error) {
	rows, err := tx.Query(ctx, queries.Get("files_with_lifetimes"), string(scope.Tenant))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var dead []int64
	for rows.Next() {
		var id, begin, end int64
		if err := rows.Scan(&id, &begin, &end); err != nil {
			return nil, err
		}
		shown := false
		for _, s := range kept {
			shown = shown || int64(s) >= begin && int64(s) < end
		}
		if !shown {
			dead = append(dead, id)
		}
	}
	return dead, rows.Err()
}

// Sweep removes Parquet files that no catalog row names, whose lease is over and that are
// older than an hour, and scratch folders of processes that are gone for a day. It returns
// how many files it removed.
func (w *Warehouse) Sweep(ctx context.Context) (int, error) {
	return w.sweep(ctx, filepath.Join(w.dir, "warehouse"), orphanAge, 24*time.Hour)
}

// SweepNow is Sweep for one tenant, however young the files are: after a rewriting they hold
// what must be gone. So do the scratch folders of killed processes.
func (w *Warehouse) SweepNow(ctx context.Context, scope tenant.Scope) (int, error) {
	if err := scope.Check(); err != nil {
		return 0, err
	}
	return w.sweep(ctx, filepath.Join(w.dir, "warehouse", string(scope.Tenant)), 0, 10*time.Minute)
}

func (w *Warehouse) sweep(ctx context.Context, below string, age, scratchAge time.Duration) (int, error) {
	root := filepath.Join(w.dir, "warehouse")
	keep := map[string]bool{}
	now := w.now()
	err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
		clear(keep)
		if _, err := tx.Exec(ctx, queries.Get("drop_old_leases"), metadb.Now(now)); err != nil {
			return err
		}
		if err := eachPath(ctx, tx, "leased_files", func(parts []string) {
			keep[filepath.Join(w.dir, filepath.FromSlash(parts[0]))] = true
		}, 1, metadb.Now(now)); err != nil {
			return err
		}
		return eachPath(ctx, tx, "all_paths", func(parts []string) {
			keep[filepath.Join(root, filepath.FromSlash(strings.Join(parts, "")))] = true
		}, 3)
	})
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	removed := 0
	err = filepath.WalkDir(below, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another sweep was faster
		}
		if err != nil || d.IsDir() || keep[path] {
			return err
		}
		info, err := d.Info()
		if err != nil || now.Sub(info.ModTime()) < age {
			return nil
		}
		if err := os.Remove(path); err == nil {
			removed++
		}
		return nil
	})
	if err != nil {
		return removed, diskFault(err)
	}
	w.sweepScratch(now, scratchAge)
	if removed > 0 {
		w.log.InfoContext(ctx, "orphan files removed", slog.Int("files", removed))
	}
	return removed, nil
}

func eachPath(ctx context.Context, tx *metadb.Tx, query string, fn func(parts []string), n int, args ...any) error {
	rows, err := tx.Query(ctx, queries.Get(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		parts, dest := make([]string, n), make([]any, n)
		for i := range parts {
			dest[i] = &parts[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		fn(parts)
	}
	return rows.Err()
}

// sweepScratch removes the session folders that killed processes left behind: those whose
// lock nobody holds and, where there is none, those that nothing has written to for so long.
func (w *Warehouse) sweepScratch(now time.Time, age time.Duration) {
	found, _ := filepath.Glob(filepath.Join(w.dir, "tmp", "session-*"))
	for _, dir := range found {
		dir, alone := strings.CutSuffix(dir, lockSuffix)
		if alone {
			if info, err := os.Stat(dir + lockSuffix); err != nil || now.Sub(info.ModTime()) < age {
				continue // its folder may be about to be made
			}
		}
		if lock, err := os.OpenFile(dir+lockSuffix, os.O_RDWR, 0); err == nil {
			if tryLock(lock) {
				os.RemoveAll(dir)
				os.Remove(lock.Name())
			}
			lock.Close()
			continue
		}
		newest := time.Time{}
		filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := d.Info(); err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			return nil
		})
		if now.Sub(newest) > age {
			os.RemoveAll(dir)
		}
	}
}

// Verify checks the tenant's current snapshot: every listed file is there with its size,
// checksum and row count, row keys are unique, and every roll-up equals a fresh
// computation of up to three of its months (first, middle, last). It returns what is
// wrong; nothing is repaired.
func (w *Warehouse) Verify(ctx context.Context, scope tenant.Scope) ([]Problem, error) {
	s, err := w.scratch(ctx, scope)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var found []Problem
	for _, t := range w.allTables() {
		for _, f := range s.base.files[t.Name] {
			if p, ok := w.verifyFile(ctx, s, t, f); !ok {
				found = append(found, p)
			}
		}
	}
	if len(found) > 0 {
		return found, nil // what follows reads the files
	}
	for _, t := range w.schema.Tables {
		var doubled int64
		if err := s.one(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT row_id FROM (%s) GROUP BY row_id HAVING count(*) > 1)", w.relation(t, s.base.files[t.Name])), &doubled); err != nil {
			return found, err
		}
		if doubled > 0 {
			found = append(found, Problem{"double key", t.Name, fmt.Sprintf("%d row keys occur more than once", doubled)})
		}
	}
	for _, r := range w.schema.Rollups {
		p, err := s.verifyRollup(ctx, r)
		if err != nil {
			return found, err
		}
		found = append(found, p...)
	}
	return found, nil
}

func (w *Warehouse) verifyFile(ctx context.Context, s *Session, t Table, f dataFile) (Problem, bool) {
	where := t.Name + "/" + f.rel
	info, err := os.Stat(f.path)
	if err != nil {
		return Problem{"missing file", where, "the catalog lists it but it cannot be read: " + err.Error()}, false
	}
	if info.Size() != f.bytes {
		return Problem{"file size", where, fmt.Sprintf("the catalog says %d bytes, the file has %d", f.bytes, info.Size())}, false
	}
	sum, err := hashFile(f.path)
	if err != nil {
		return Problem{"unreadable file", where, err.Error()}, false
	}
	if sum != f.sha256 {
		return Problem{"checksum", where, "the file's content is not what was written"}, false
	}
	var rows int64
	if err := s.one(ctx, fmt.Sprintf("SELECT count(*) FROM read_parquet(%s)", QuoteText(f.path)), &rows); err != nil {
		return Problem{"unreadable file", where, err.Error()}, false
	}
	if rows != f.rows {
		return Problem{"row count", where, fmt.Sprintf("the catalog says %d rows, the file has %d", f.rows, rows)}, false
	}
	return Problem{}, true
}

func (s *Session) verifyRollup(ctx context.Context, r Rollup) ([]Problem, error) {
	if _, stale := s.w.stale(s.base, r.Table.Name); stale {
		return nil, nil // nothing reads its files
	}
	source, _ := s.w.table(r.Source)
	counts, err := s.monthRows(ctx, s.w.relation(source, s.base.files[r.Source]), source.Month)
	if err != nil {
		return nil, err
	}
	var months []quantity.Day
	for m := range counts {
		if !m.IsZero() {
			months = append(months, m)
		}
	}
	months = monthsOf(months)
	if n := len(months); n > 3 {
		months = []quantity.Day{months[0], months[n/2], months[n-1]}
	}
	var found []Problem
	for _, m := range months {
		fresh := s.table("check")
		if err := s.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS %s", fresh, s.w.rollupSQL(s.base, r, []quantity.Day{m}))); err != nil {
			return nil, err
		}
		stored := fmt.Sprintf("SELECT %s FROM (%s) WHERE date_trunc('month', %s) = DATE %s", columnList(r.Table, ""), s.w.relation(r.Table, s.base.files[r.Table.Name]), QuoteIdent(r.Table.Month), QuoteText(m.String()))
		again := fmt.Sprintf("SELECT %s FROM %s", columnList(r.Table, ""), fresh)
		var differ int64
		if err := s.one(ctx, fmt.Sprintf("SELECT count(*) FROM ((%[1]s EXCEPT ALL %[2]s) UNION ALL (%[2]s EXCEPT ALL %[1]s))", stored, again), &differ); err != nil {
			return nil, err
		}
		if differ > 0 {
			found = append(found, Problem{"roll-up", r.Table.Name + " " + m.String()[:7], fmt.Sprintf("%d rows differ from a fresh computation", differ)})
		}
	}
	return found, nil
}
