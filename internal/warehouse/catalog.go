package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// The catalog is a DuckLake 1.0 catalog (public repository duckdb/ducklake-web,
// docs/stable/specification): one schema a tenant, files relative to their table's
// folder. data_file_extra holds what the format has no place for.

const lakeVersion = "1.0"

// snapshotRow is the newest row of ducklake_snapshot: where the next ids come from.
type snapshotRow struct {
	id, schemaVersion, nextCatalogID, nextFileID int64
}

// initCatalog writes the catalog's first rows once, and follows a moved data directory.
func (w *Warehouse) initCatalog(ctx context.Context) error {
	dataPath := filepath.ToSlash(filepath.Join(w.dir, "warehouse")) + "/"
	err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
		var have string
		err := tx.One(ctx, queries.Get("metadata_value"), []any{"data_path"}, &have)
		if err == nil {
			if have != dataPath {
				_, err = tx.Exec(ctx, queries.Get("update_metadata"), "data_path", dataPath)
			}
			return err
		}
		if !errors.Is(err, metadb.ErrNoRow) {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_control"), "catalog", "ducklake "+lakeVersion); err != nil {
			return err
		}
		if err := lockCatalog(ctx, tx); err != nil {
			return err
		}
		// Another process may have been first.
		if err := tx.One(ctx, queries.Get("metadata_value"), []any{"data_path"}, &have); err == nil {
			return nil
		}
		for _, kv := range [][2]string{{"version", lakeVersion}, {"created_by", "MoatMetrics"}, {"data_path", dataPath}, {"encrypted", "false"}} {
			if _, err := tx.Exec(ctx, queries.Get("insert_metadata"), kv[0], kv[1]); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_snapshot"), int64(0), lakeTime(w.now()), int64(0), int64(1), int64(0)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_snapshot_changes"), int64(0), `created_schema:"main"`, nil, nil, nil); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, queries.Get("insert_schema"), int64(0), uuid.NewString(), int64(0), "main", "main/")
		return err
	})
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	return nil
}

// lakeTime writes an instant as DuckLake keeps it, in both engines.
func lakeTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") + "+00" }

func lockCatalog(ctx context.Context, tx *metadb.Tx) error {
	if tx.Engine() != metadb.Postgres {
		return nil // SQLite's write transaction is the lock
	}
	var v string
	return tx.One(ctx, queries.Get("lock_catalog_postgres"), nil, &v)
}

func lastSnapshot(ctx context.Context, tx *metadb.Tx) (snapshotRow, error) {
	var s snapshotRow
	err := tx.One(ctx, queries.Get("last_snapshot"), nil, &s.id, &s.schemaVersion, &s.nextCatalogID, &s.nextFileID)
	return s, err
}

// insertSnapshot writes the rows of a new snapshot.
func (w *Warehouse) insertSnapshot(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, s snapshotRow, changes []string, kind, message string) error {
	now := w.now()
	if _, err := tx.Exec(ctx, queries.Get("insert_snapshot"), s.id, lakeTime(now), s.schemaVersion, s.nextCatalogID, s.nextFileID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, queries.Get("insert_snapshot_changes"), s.id, strings.Join(changes, ","), string(scope.Actor), metadb.Text(message), nil); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, queries.Get("insert_tenant_snapshot"), string(scope.Tenant), s.id, metadb.Now(now), kind, string(scope.Actor), metadb.Text(message))
	return err
}

// ensureTenant makes the tenant, its DuckLake schema, every declared table and every
// declared column exist. It makes a snapshot only when something was missing.
func (w *Warehouse) ensureTenant(ctx context.Context, scope tenant.Scope) error {
	w.mu.Lock()
	done := w.ready[scope.Tenant]
	w.mu.Unlock()
	if done {
		return nil
	}
	err := w.db.Transact(ctx, func(tx *metadb.Tx) error {
		if _, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), w.now()); err != nil {
			return err
		}
		if err := lockCatalog(ctx, tx); err != nil {
			return err
		}
		return w.createMissing(ctx, tx, scope)
	})
	if err != nil {
		return fmt.Errorf("tenant %s: %w", scope.Tenant, err)
	}
	w.mu.Lock()
	w.ready[scope.Tenant] = true
	w.mu.Unlock()
	return nil
}

func (w *Warehouse) createMissing(ctx context.Context, tx *metadb.Tx, scope tenant.Scope) error {
	snap, err := lastSnapshot(ctx, tx)
	if err != nil {
		return err
	}
	snap.id++
	slug := string(scope.Tenant)
	var changes []string
	var schemaID int64
	err = tx.One(ctx, queries.Get("schema_id"), []any{slug}, &schemaID)
	switch {
	case errors.Is(err, metadb.ErrNoRow):
		schemaID = snap.nextCatalogID
		snap.nextCatalogID++
		if _, err := tx.Exec(ctx, queries.Get("insert_schema"), schemaID, uuid.NewString(), snap.id, slug, slug+"/"); err != nil {
			return err
		}
		changes = append(changes, "created_schema:"+lakeQuote(slug))
	case err != nil:
		return err
	}
	tables, columns, err := readSchema(ctx, tx, schemaID)
	if err != nil {
		return err
	}
	var altered []int64
	for _, t := range w.allTables() {
		id, exists := tables[t.Name]
		if !exists {
			id = snap.nextCatalogID
			snap.nextCatalogID++
			if _, err := tx.Exec(ctx, queries.Get("insert_table"), id, uuid.NewString(), snap.id, schemaID, t.Name, t.Name+"/"); err != nil {
				return err
			}
			changes = append(changes, "created_table:"+lakeQuote(slug)+"."+lakeQuote(t.Name))
		}
		added := false
		for i, c := range t.Columns {
			if have, ok := columns[id][int64(c.ID)]; ok {
				if have != [2]string{c.Name, lakeType(c.Type)} {
					return fmt.Errorf("table %s: column id %d is %s %s in the catalog but %s %s in this version: columns may only be added", t.Name, c.ID, have[0], have[1], c.Name, lakeType(c.Type))
				}
				continue
			}
			if _, err := tx.Exec(ctx, queries.Get("insert_column"), int64(c.ID), snap.id, id, int64(i+1), c.Name, lakeType(c.Type)); err != nil {
				return err
			}
			added = true
		}
		if exists && added {
			changes = append(changes, fmt.Sprintf("altered_table:%d", id))
		}
		if added || !exists {
			altered = append(altered, id)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	snap.schemaVersion++
	for _, id := range altered {
		if _, err := tx.Exec(ctx, queries.Get("insert_schema_version"), snap.id, snap.schemaVersion, id); err != nil {
			return err
		}
	}
	return w.insertSnapshot(ctx, tx, scope, snap, changes, "schema", "tables created or extended")
}

// readSchema returns the table ids by name, and by table and column id the column's name
// and type.
func readSchema(ctx context.Context, tx *metadb.Tx, schemaID int64) (map[string]int64, map[int64]map[int64][2]string, error) {
	tables, columns := map[string]int64{}, map[int64]map[int64][2]string{}
	rows, err := tx.Query(ctx, queries.Get("tables_of_schema"), schemaID)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, nil, err
		}
		tables[name], columns[id] = id, map[int64][2]string{}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	rows.Close()
	cols, err := tx.Query(ctx, queries.Get("columns_of_schema"), schemaID)
	if err != nil {
		return nil, nil, err
	}
	defer cols.Close()
	for cols.Next() {
		var table, id int64
		var name, kind string
		if err := cols.Scan(&table, &id, &name, &kind); err != nil {
			return nil, nil, err
		}
		columns[table][id] = [2]string{name, kind}
	}
	return tables, columns, cols.Err()
}

func (w *Warehouse) allTables() []Table {
	all := slices.Clone(w.schema.Tables)
	for _, r := range w.schema.Rollups {
		all = append(all, r.Table)
	}
	return all
}

// lakeType returns the DuckLake name of a column type.
func lakeType(t Type) string {
	switch t {
	case "BIGINT":
		return "int64"
	case "INTEGER":
		return "int32"
	case "DOUBLE":
		return "float64"
	default:
		return strings.ToLower(strings.ReplaceAll(string(t), " ", ""))
	}
}

func lakeQuote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// writeCatalog writes a plan as the newest snapshot. It returns errMoved when a table the
// plan was made from has changed since its base.
func (w *Warehouse) writeCatalog(ctx context.Context, tx *metadb.Tx, scope tenant.Scope, p *plan, kind, message string) (Snapshot, error) {
	if err := lockCatalog(ctx, tx); err != nil {
		return 0, err
	}
	if epoch, err := readEpoch(ctx, tx, scope); err != nil {
		return 0, err
	} else if epoch != p.base.epoch {
		return 0, errMoved
	}
	if err := stillClosed(ctx, tx, scope, p); err != nil {
		return 0, err
	}
	if p.shows != 0 { // it may have expired since, on another node too, and its files with it
		if err := hasSnapshot(ctx, tx, scope, p.shows); err != nil {
			return 0, err
		}
	}
	snap, err := lastSnapshot(ctx, tx)
	if err != nil {
		return 0, err
	}
	snap.id++
	var schemaID int64
	if err := tx.One(ctx, queries.Get("schema_id"), []any{string(scope.Tenant)}, &schemaID); err != nil {
		return 0, err
	}
	ids, _, err := readSchema(ctx, tx, schemaID)
	if err != nil {
		return 0, err
	}
	for name := range p.read {
		var moved int64
		if err := tx.One(ctx, queries.Get("table_moved"), []any{ids[name], int64(p.base.snapshot)}, &moved); err != nil {
			return 0, err
		}
		if moved > 0 {
			return 0, errMoved
		}
	}
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(p.changed)) {
		ch, id := p.changed[name], ids[name]
		if err := w.writeTableChange(ctx, tx, &snap, id, ch, p.next.files[name]); err != nil {
			return 0, fmt.Errorf("catalog %s: %w", name, err)
		}
		if len(ch.added) > 0 {
			changes = append(changes, fmt.Sprintf("inserted_into_table:%d", id))
		}
		if len(ch.ended) > 0 {
			changes = append(changes, fmt.Sprintf("deleted_from_table:%d", id))
		}
	}
	return Snapshot(snap.id), w.insertSnapshot(ctx, tx, scope, snap, changes, kind, message)
}

func (w *Warehouse) writeTableChange(ctx context.Context, tx *metadb.Tx, snap *snapshotRow, table int64, ch tableChange, files []dataFile) error {
	for _, f := range ch.ended {
		if n, err := tx.Exec(ctx, queries.Get("end_file"), f.id, snap.id); err != nil {
			return err
		} else if n != 1 {
			return errMoved
		}
	}
	var nextRow int64
	err := tx.One(ctx, queries.Get("table_stats"), []any{table}, &nextRow)
	fresh := errors.Is(err, metadb.ErrNoRow)
	if err != nil && !fresh {
		return err
	}
	for i := range ch.added {
		f := &ch.added[i]
		again := f.id // set when a rollback shows an old file again
		f.id = snap.nextFileID
		snap.nextFileID++
		start := f.order
		if again == 0 && len(f.stats) > 0 {
			start = nextRow
			nextRow += f.rows
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_file"), f.id, table, snap.id, f.id, f.rel, f.rows, f.bytes, f.footer, start); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("insert_file_extra"), f.id, f.sha256, textOrNil(f.from.String()), textOrNil(f.to.String()), textOrNil(f.definition)); err != nil {
			return err
		}
		if len(f.stats) == 0 {
			if _, err := tx.Exec(ctx, queries.Get("copy_file_stats"), again, f.id); err != nil {
				return err
			}
			continue
		}
		if err := insertStats(ctx, tx, table, *f); err != nil {
			return err
		}
		if err := w.release(ctx, tx, f.path); err != nil {
			return err
		}
	}
	var bytes int64
	for _, f := range files {
		bytes += f.bytes
	}
	write := "update_table_stats"
	args := []any{table, sumRows(files), nextRow, bytes}
	if fresh {
		write = "insert_table_stats"
	}
	_, err = tx.Exec(ctx, queries.Get(write), args...)
	return err
}

// release ends the lease of a file that the catalog lists now.
func (w *Warehouse) release(ctx context.Context, tx *metadb.Tx, path string) error {
	rel, err := filepath.Rel(w.dir, path)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, queries.Get("release_file"), filepath.ToSlash(rel))
	return err
}

// insertStats writes a file's column statistics, many rows a statement: a wide table of
// many months has thousands.
func insertStats(ctx context.Context, tx *metadb.Tx, table int64, f dataFile) error {
	for chunk := range slices.Chunk(f.stats, 40) {
		var b strings.Builder
		b.WriteString("INSERT INTO ducklake_file_column_stats (data_file_id, table_id, column_id, column_size_bytes, value_count, null_count, min_value, max_value) VALUES ")
		var args []any
		for i, c := range chunk {
			if i > 0 {
				b.WriteString(", ")
			}
			n := len(args)
			fmt.Fprintf(&b, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8)
			args = append(args, f.id, table, int64(c.column), c.bytes, c.values, c.nulls, bound(c.min), bound(c.max))
		}
		if _, err := tx.Exec(ctx, b.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// bound is a column's smallest or greatest value as the catalog can hold it; one that it
// cannot hold is as good as unknown.
func bound(v *string) *string {
	if v != nil && metadb.Text(*v) != *v {
		return nil
	}
	return v
}
