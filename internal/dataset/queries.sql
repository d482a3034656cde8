-- name: tenant_zone
-- The time zone of a tenant.
SELECT time_zone FROM tenant WHERE slug = $1;

-- name: keep_control
-- Keeps a value under a key unless there is one already.
INSERT INTO control (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING;

-- name: control_value
-- The value kept under a key.
SELECT value FROM control WHERE key = $1;

-- name: insert_import
-- Records an import.
INSERT INTO import (id, tenant_id, dataset, file, sha256, bytes, started_at, finished_at, actor, snapshot, status, rows_read, rows_added, rows_updated, rows_unchanged, rows_rejected, rows_deleted, summary)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: insert_reject
-- Records a rejected row of an import.
INSERT INTO import_reject (import_id, ordinal, record, line, column_name, value, code, message, suggestion, source_row)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: delete_rejects
-- Forgets the rejected rows of an import that did not commit.
DELETE FROM import_reject WHERE import_id = $1;

-- name: list_imports
-- A tenant's imports before an id, newest first.
SELECT i.id, i.sha256, i.bytes, i.started_at, i.finished_at, i.actor, i.status, i.summary
FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.id < $2 ORDER BY i.id DESC LIMIT $3;

-- name: get_import
-- One import of a tenant.
SELECT i.id, i.sha256, i.bytes, i.started_at, i.finished_at, i.actor, i.status, i.summary
FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.id = $2;

-- name: list_rejects
-- The rejected rows of an import after an ordinal.
SELECT r.ordinal, r.record, r.line, r.column_name, r.value, r.code, r.message, r.suggestion, r.source_row
FROM import_reject r JOIN import i ON i.id = r.import_id JOIN tenant t ON t.id = i.tenant_id
WHERE t.slug = $1 AND r.import_id = $2 AND r.ordinal > $3 ORDER BY r.ordinal LIMIT $4;

-- name: count_imports_of_snapshot
-- How many imports made a snapshot.
SELECT COUNT(*) FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.snapshot = $2 AND i.status = 'committed';

-- name: later_imports_with_same_rows
-- Imports of a dataset after one, of which rows were there already.
SELECT i.id, i.file FROM import i JOIN tenant t ON t.id = i.tenant_id
WHERE t.slug = $1 AND i.dataset = $2 AND i.id > $3 AND i.rows_unchanged > 0 AND i.status IN ('committed', 'unchanged') ORDER BY i.id;

-- name: mark_undone
-- Marks an import as undone.
UPDATE import SET status = 'undone' WHERE id = $1 AND status = 'committed';

-- name: keep_mapping
-- Keeps a mapping for the files of a source with these headers.
INSERT INTO mapping (tenant_id, id, source_system, dataset, headers, mapping, import_id, saved_at, saved_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, id) DO UPDATE SET dataset = excluded.dataset, headers = excluded.headers, mapping = excluded.mapping,
import_id = excluded.import_id, saved_at = excluded.saved_at, saved_by = excluded.saved_by;

-- name: list_mappings
-- A tenant's saved mappings.
SELECT m.id, m.source_system, m.dataset, m.headers, m.mapping, m.import_id, m.saved_at, m.saved_by
FROM mapping m JOIN tenant t ON t.id = m.tenant_id WHERE t.slug = $1 ORDER BY m.source_system, m.dataset, m.id;

-- name: delete_mapping
-- Forgets a saved mapping.
DELETE FROM mapping WHERE id = $2 AND tenant_id = (SELECT id FROM tenant WHERE slug = $1);
