package warehouse

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

//go:embed queries.sql
var queriesSQL string

var queries = metadb.MustParseQueries(queriesSQL)

// Warehouse is the facts of all tenants of one data directory. It is safe for concurrent
// use, also by several processes on one directory.
type Warehouse struct {
	db     *metadb.DB
	dir    string // absolute
	schema Schema
	byName map[string]Table
	// definitions are the roll-ups' by table name: they change with what a roll-up means.
	definitions map[string]string
	engine      *engine
	held        *held
	now         func() time.Time
	log         *slog.Logger

	mu     sync.Mutex
	states map[stateKey]*state
	ready  map[tenant.Slug]bool  // tenants whose catalog entries match the schema
	epochs map[tenant.Slug]int64 // as Current last saw them

	again sync.Map // by tenant: the place (chan struct{} of 1) of the commit that merges again
}

type stateKey struct {
	tenant   tenant.Slug
	snapshot Snapshot
	epoch    int64
}

// Open opens the warehouse in the data directory dir, whose control database is db
// (migrated). It creates what is missing and removes what a killed process left in the
// scratch folder.
func Open(ctx context.Context, db *metadb.DB, dir string, schema Schema, opt Options) (*Warehouse, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fault.Wrapf(fault.Unavailable, err, "the data directory %s cannot be opened", dir)
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	for _, sub := range []string{"warehouse", "tmp"} {
		if err := os.MkdirAll(filepath.Join(abs, sub), 0o700); err != nil {
			return nil, diskFault(err)
		}
	}
	w := &Warehouse{db: db, dir: abs, schema: schema, now: opt.Now, log: opt.Log,
		byName: map[string]Table{}, definitions: map[string]string{}, states: map[stateKey]*state{}, ready: map[tenant.Slug]bool{}, epochs: map[tenant.Slug]int64{}}
	for _, t := range schema.Tables {
		w.byName[t.Name] = t
	}
	for _, r := range schema.Rollups {
		w.byName[r.Table.Name] = r.Table
		w.definitions[r.Table.Name] = r.definition()
	}
	if err := w.initCatalog(ctx); err != nil {
		return nil, err
	}
	if w.engine, err = openEngine(ctx, abs, opt); err != nil {
		return nil, err
	}
	w.held = &held{engine: w.engine, tables: map[string]*heldTable{}, room: allHeldRows}
	return w, nil
}

// Folder makes a folder of that name in the data directory, for files that belong to the
// tenant's data but are no facts, and returns its path.
func (w *Warehouse) Folder(scope tenant.Scope, name string) (string, error) {
	if err := scope.Check(); err != nil {
		return "", err
	}
	dir := filepath.Join(w.dir, name, string(scope.Tenant))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", diskFault(err)
	}
	return dir, nil
}

// Close releases the engine. Running statements end with an error.
func (w *Warehouse) Close() error { return w.engine.close() }

// Query runs a statement on one snapshot, within the bounds of Options.
func (w *Warehouse) Query(ctx context.Context, scope tenant.Scope, q Statement) (*Rows, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if q.Obeys != scope.Rights.Key() {
		if err := scope.Whole("these rows"); err != nil {
			return nil, err
		}
		return nil, fault.Newf(fault.Internal, "a statement keeps to other rights than those of its asker")
	}
	snap, err := w.Current(ctx, scope) // also when another is asked for: learns the epoch
	if err != nil {
		return nil, err
	}
	if q.Snapshot != 0 {
		snap = q.Snapshot
	}
	st, err := w.stateAt(ctx, scope, snap)
	if err != nil {
		return nil, err
	}
	rows, err := w.queryState(ctx, scope, st, q)
	if err != nil && q.Each == nil && ctx.Err() == nil {
		// Its files may have been rewritten and removed meanwhile: once more with the new ones.
		if _, cerr := w.Current(ctx, scope); cerr == nil && w.Epoch(scope) != st.epoch {
			if st, err = w.stateAt(ctx, scope, snap); err != nil {
				return nil, err
			}
			return w.queryState(ctx, scope, st, q)
		}
	}
	return rows, err
}

func (w *Warehouse) queryState(ctx context.Context, scope tenant.Scope, st *state, q Statement) (*Rows, error) {
	text, release, err := w.withTables(ctx, scope, st, q)
	if err != nil {
		return nil, err
	}
	defer release()
	maxRows := q.MaxRows
	if maxRows <= 0 {
		maxRows = defaultMaxRows
	}
	rows, err := w.engine.query(ctx, text, q.Args, maxRows, q.Each)
	if err != nil {
		return nil, err
	}
	rows.Snapshot = st.snapshot
	return rows, nil
}

// Current returns the last snapshot that changed the tenant's data, 0 when nothing did.
func (w *Warehouse) Current(ctx context.Context, scope tenant.Scope) (Snapshot, error) {
	if err := scope.Check(); err != nil {
		return 0, err
	}
	var snap int64
	var text string
	err := w.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("current_snapshot"), []any{string(scope.Tenant), epochKey(scope)}, &snap, &text)
	})
	if err != nil {
		return 0, err
	}
	epoch, err := strconv.ParseInt(text, 10, 64)
	w.mu.Lock()
	w.epochs[scope.Tenant] = max(epoch, w.epochs[scope.Tenant])
	w.mu.Unlock()
	if scope.Snapshot != 0 {
		snap = scope.Snapshot
	}
	return Snapshot(snap), err
}

// Snapshots lists the tenant's snapshots, newest first; without their rows for who sees a
// part of them.
func (w *Warehouse) Snapshots(ctx context.Context, scope tenant.Scope) ([]SnapshotInfo, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []SnapshotInfo
	err := w.db.Read(ctx, func(tx *metadb.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, queries.Get("list_snapshots"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var at string
			var s SnapshotInfo
			if err := rows.Scan(&id, &at, &s.Kind, &s.Author, &s.Message); err != nil {
				return err
			}
			s.ID = Snapshot(id)
			if s.At, err = metadb.ParseTime(at); err != nil {
				return err
			}
			out = append(out, s)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	if !scope.Rights.Unlimited() { // how many rows there are is about all clients
		return out, nil
	}
	for i := range out {
		st, err := w.stateAt(ctx, scope, out[i].ID)
		if err != nil {
			return nil, err
		}
		out[i].Rows = map[string]int64{}
		for _, t := range w.schema.Tables {
			if n := sumRows(st.files[t.Name]); n > 0 {
				out[i].Rows[t.Name] = n
			}
		}
	}
	return out, nil
}

// Tables describes the tables of a snapshot (0: the current one) in the order of the
// schema, roll-ups last.
func (w *Warehouse) Tables(ctx context.Context, scope tenant.Scope, snap Snapshot) ([]TableInfo, error) {
	if snap == 0 {
		var err error
		if snap, err = w.Current(ctx, scope); err != nil {
			return nil, err
		}
	}
	st, err := w.stateAt(ctx, scope, snap)
	if err != nil {
		return nil, err
	}
	var out []TableInfo
	describe := func(t Table) {
		info := TableInfo{Name: t.Name, Files: len(st.files[t.Name])}
		for _, f := range st.files[t.Name] {
			info.Rows += f.rows
			info.Bytes += f.bytes
			if f.from.IsZero() {
				continue
			}
			if len(info.Months) == 0 {
				info.Months = append(info.Months, f.from.Month(), f.to.Month())
			}
			if f.from.Month().Before(info.Months[0]) {
				info.Months[0] = f.from.Month()
			}
			if info.Months[1].Before(f.to.Month()) {
				info.Months[1] = f.to.Month()
			}
		}
		out = append(out, info)
	}
	for _, t := range w.schema.Tables {
		describe(t)
	}
	for _, r := range w.schema.Rollups {
		describe(r.Table)
	}
	return out, nil
}

func (w *Warehouse) tableDir(scope tenant.Scope, table string) string {
	return filepath.Join(w.dir, "warehouse", string(scope.Tenant), table)
}

func diskFault(err error) error {
	return fault.Wrapf(fault.Unavailable, err, "the data directory could not be written: check free space and permissions; nothing was changed")
}
