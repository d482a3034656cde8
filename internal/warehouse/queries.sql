-- name: current_snapshot
-- The last snapshot that changed a tenant's data, 0 when none did, and the epoch.
SELECT coalesce(max(s.snapshot_id), 0), coalesce((SELECT value FROM control WHERE key = $2), '0') FROM tenant_snapshot s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1;

-- name: tenant_has_snapshot
-- Whether a snapshot is one of the tenant's.
SELECT count(*) FROM tenant_snapshot s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 AND s.snapshot_id = $2;

-- name: list_snapshots
-- A tenant's snapshots, newest first.
SELECT s.snapshot_id, s.at, s.kind, s.actor, s.message FROM tenant_snapshot s JOIN tenant t ON t.id = s.tenant_id
WHERE t.slug = $1 ORDER BY s.snapshot_id DESC;

-- name: insert_tenant_snapshot
INSERT INTO tenant_snapshot (tenant_id, snapshot_id, at, kind, actor, message) SELECT id, $2, $3, $4, $5, $6 FROM tenant WHERE slug = $1;

-- name: delete_tenant_snapshot
-- Forgets an expired snapshot of a tenant.
DELETE FROM tenant_snapshot WHERE snapshot_id = $2 AND tenant_id = (SELECT id FROM tenant WHERE slug = $1);

-- name: files_of_snapshot
-- The files that make up a tenant's snapshot, with the first and last date they hold.
SELECT tb.table_name, f.data_file_id, f.row_id_start, f.path, f.record_count, f.file_size_bytes, f.footer_size, x.sha256, x.first_day, x.last_day, x.definition
FROM ducklake_schema sc
JOIN ducklake_table tb ON tb.schema_id = sc.schema_id AND tb.end_snapshot IS NULL
JOIN ducklake_data_file f ON f.table_id = tb.table_id AND f.begin_snapshot <= $2 AND (f.end_snapshot IS NULL OR f.end_snapshot > $2)
LEFT JOIN data_file_extra x ON x.data_file_id = f.data_file_id
WHERE sc.schema_name = $1 AND sc.end_snapshot IS NULL
ORDER BY tb.table_id, f.file_order, f.data_file_id;

-- name: lease_file
-- A file that is being written: the sweep leaves it alone until the lease is over.
INSERT INTO pending_file (path, tenant, lease_until, created_at) VALUES ($1, $2, $3, $4);

-- name: release_file
DELETE FROM pending_file WHERE path = $1;

-- name: leased_files
-- Paths of files whose lease still runs.
SELECT path FROM pending_file WHERE lease_until > $1;

-- name: drop_old_leases
DELETE FROM pending_file WHERE lease_until <= $1;

-- name: lock_catalog_postgres
-- One commit at a time takes snapshot ids (design: Rules of change). SQLite has a single writer.
SELECT value FROM control WHERE key = 'catalog' FOR UPDATE;

-- name: control_value
SELECT value FROM control WHERE key = $1;

-- name: insert_control
INSERT INTO control (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING;

-- name: last_snapshot
-- The catalog's newest snapshot.
SELECT snapshot_id, schema_version, next_catalog_id, next_file_id FROM ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1;

-- name: insert_snapshot
INSERT INTO ducklake_snapshot (snapshot_id, snapshot_time, schema_version, next_catalog_id, next_file_id) VALUES ($1, $2, $3, $4, $5);

-- name: insert_snapshot_changes
INSERT INTO ducklake_snapshot_changes (snapshot_id, changes_made, author, commit_message, commit_extra_info) VALUES ($1, $2, $3, $4, $5);

-- name: insert_metadata
INSERT INTO ducklake_metadata (key, value, scope, scope_id) VALUES ($1, $2, NULL, NULL);

-- name: metadata_value
SELECT value FROM ducklake_metadata WHERE key = $1 AND scope IS NULL;

-- name: update_metadata
UPDATE ducklake_metadata SET value = $2 WHERE key = $1 AND scope IS NULL;

-- name: insert_schema
INSERT INTO ducklake_schema (schema_id, schema_uuid, begin_snapshot, end_snapshot, schema_name, path, path_is_relative) VALUES ($1, $2, $3, NULL, $4, $5, true);

-- name: schema_id
SELECT schema_id FROM ducklake_schema WHERE schema_name = $1 AND end_snapshot IS NULL;

-- name: insert_table
INSERT INTO ducklake_table (table_id, table_uuid, begin_snapshot, end_snapshot, schema_id, table_name, path, path_is_relative) VALUES ($1, $2, $3, NULL, $4, $5, $6, true);

-- name: tables_of_schema
SELECT table_id, table_name FROM ducklake_table WHERE schema_id = $1 AND end_snapshot IS NULL;

-- name: insert_column
INSERT INTO ducklake_column (column_id, begin_snapshot, end_snapshot, table_id, column_order, column_name, column_type, nulls_allowed) VALUES ($1, $2, NULL, $3, $4, $5, $6, true);

-- name: columns_of_schema
SELECT c.table_id, c.column_id, c.column_name, c.column_type FROM ducklake_column c JOIN ducklake_table t ON t.table_id = c.table_id
WHERE t.schema_id = $1 AND c.end_snapshot IS NULL AND t.end_snapshot IS NULL;

-- name: insert_schema_version
INSERT INTO ducklake_schema_versions (begin_snapshot, schema_version, table_id) VALUES ($1, $2, $3);

-- name: table_moved
-- Whether a table of a tenant gained or lost files after a snapshot.
SELECT count(*) FROM ducklake_data_file WHERE table_id = $1 AND (begin_snapshot > $2 OR end_snapshot > $2);

-- name: end_file
UPDATE ducklake_data_file SET end_snapshot = $2 WHERE data_file_id = $1 AND end_snapshot IS NULL;

-- name: insert_file
INSERT INTO ducklake_data_file (data_file_id, table_id, begin_snapshot, end_snapshot, file_order, path, path_is_relative, file_format, record_count, file_size_bytes, footer_size, row_id_start)
VALUES ($1, $2, $3, NULL, $4, $5, true, 'parquet', $6, $7, $8, $9);

-- name: insert_file_extra
-- What the DuckLake catalog has no place for: checksum, the dates a file holds, and by which
-- declaration a roll-up was computed.
INSERT INTO data_file_extra (data_file_id, sha256, first_day, last_day, definition) VALUES ($1, $2, $3, $4, $5);

-- name: copy_file_stats
-- A file shown again (rollback) keeps its column statistics under its new id.
INSERT INTO ducklake_file_column_stats (data_file_id, table_id, column_id, column_size_bytes, value_count, null_count, min_value, max_value, contains_nan, extra_stats)
SELECT $2, table_id, column_id, column_size_bytes, value_count, null_count, min_value, max_value, contains_nan, extra_stats FROM ducklake_file_column_stats WHERE data_file_id = $1;

-- name: table_stats
SELECT next_row_id FROM ducklake_table_stats WHERE table_id = $1;

-- name: insert_table_stats
INSERT INTO ducklake_table_stats (table_id, record_count, next_row_id, file_size_bytes) VALUES ($1, $2, $3, $4);

-- name: update_table_stats
UPDATE ducklake_table_stats SET record_count = $2, next_row_id = $3, file_size_bytes = $4 WHERE table_id = $1;

-- name: all_paths
-- Every file that some snapshot of any tenant still needs, relative to the warehouse folder.
SELECT sc.path, tb.path, f.path FROM ducklake_data_file f JOIN ducklake_table tb ON tb.table_id = f.table_id JOIN ducklake_schema sc ON sc.schema_id = tb.schema_id;

-- name: files_with_lifetimes
-- All files of a tenant ever listed, for expiry.
SELECT f.data_file_id, f.begin_snapshot, coalesce(f.end_snapshot, 0) FROM ducklake_data_file f
JOIN ducklake_table tb ON tb.table_id = f.table_id JOIN ducklake_schema sc ON sc.schema_id = tb.schema_id
WHERE sc.schema_name = $1 AND f.end_snapshot IS NOT NULL;

-- name: delete_file
DELETE FROM ducklake_data_file WHERE data_file_id = $1;

-- name: delete_file_stats
DELETE FROM ducklake_file_column_stats WHERE data_file_id = $1;

-- name: delete_file_extra
DELETE FROM data_file_extra WHERE data_file_id = $1;

-- name: delete_snapshot
DELETE FROM ducklake_snapshot WHERE snapshot_id = $1;

-- name: delete_snapshot_changes
DELETE FROM ducklake_snapshot_changes WHERE snapshot_id = $1;

-- name: closed_months
-- A tenant's closed months, oldest first.
SELECT c.month, c.closed_at, c.actor FROM closed_month c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug = $1 ORDER BY c.month;

-- name: close_month
INSERT INTO closed_month (tenant_id, month, closed_at, actor) SELECT id, $2, $3, $4 FROM tenant WHERE slug = $1
ON CONFLICT (tenant_id, month) DO NOTHING;

-- name: reopen_month
DELETE FROM closed_month WHERE month = $2 AND tenant_id = (SELECT id FROM tenant WHERE slug = $1);


-- name: ever_files
-- The files of all kept snapshots of a tenant.
SELECT tb.table_name, tb.table_id, f.data_file_id, f.path, f.begin_snapshot, coalesce(f.end_snapshot, 0), f.record_count, f.file_size_bytes, f.footer_size, x.sha256, x.first_day, x.last_day, x.definition
FROM ducklake_schema sc
JOIN ducklake_table tb ON tb.schema_id = sc.schema_id AND tb.end_snapshot IS NULL
JOIN ducklake_data_file f ON f.table_id = tb.table_id
LEFT JOIN data_file_extra x ON x.data_file_id = f.data_file_id
WHERE sc.schema_name = $1 AND sc.end_snapshot IS NULL
ORDER BY tb.table_id, f.data_file_id;

-- name: swap_file
-- Lists another file, which holds the same rows in the same order, under a new id.
UPDATE ducklake_data_file SET data_file_id = $2, path = $3, file_size_bytes = $4, footer_size = $5 WHERE data_file_id = $1;

-- name: sum_table_bytes
-- The size of a table after files of it were swapped.
UPDATE ducklake_table_stats SET file_size_bytes = (SELECT coalesce(sum(file_size_bytes), 0) FROM ducklake_data_file WHERE table_id = $1 AND end_snapshot IS NULL) WHERE table_id = $1;

-- name: set_control
INSERT INTO control (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
