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

-- name: imports_of
-- The imports of a file with that hash, of one tenant.
SELECT i.id FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.sha256 = $2 ORDER BY i.id;

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
UPDATE import SET status = 'undone' WHERE id = $1 AND status IN ('committed', 'unchanged');

-- name: insert_upload
-- Announces a file.
INSERT INTO upload (tenant_id, id, name, bytes, received, sha256, created_at, touched_at, actor, kept) VALUES ($1, $2, $3, $4, 0, '', $5, $5, $6, 0);

-- name: get_upload
-- One upload of a tenant.
SELECT u.id, u.name, u.bytes, u.received, u.sha256, u.created_at, u.actor FROM upload u JOIN tenant t ON t.id = u.tenant_id WHERE t.slug = $1 AND u.id = $2;

-- name: extend_upload
-- Records more bytes of an upload, if nobody else did.
UPDATE upload SET received = $4, touched_at = $5 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND received = $3;

-- name: complete_upload
-- Records that an upload is all there.
UPDATE upload SET sha256 = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: keep_upload
-- Marks an upload as the original of an import, or as one that is not kept.
UPDATE upload SET kept = $4, touched_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_upload
-- Forgets an upload that no import used.
DELETE FROM upload WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND kept = 0;

-- name: forget_upload
-- Forgets an upload.
DELETE FROM upload WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: old_uploads
-- Uploads that nobody used since an instant, and originals since another.
SELECT u.id FROM upload u JOIN tenant t ON t.id = u.tenant_id WHERE t.slug = $1 AND (u.kept = 0 AND u.touched_at < $2 OR u.kept = 1 AND u.touched_at < $3);

-- name: insert_batch
-- Adds a batch that waits.
INSERT INTO batch (tenant_id, id, status, request, progress, answer, created_at, finished_at, lease, actor) VALUES ($1, $2, 'queued', $3, '', '', $4, '', '', $5);

-- name: claim_batch
-- Takes a batch that waits, or whose process has given no sign of life.
UPDATE batch SET status = 'running', lease = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND (status = 'queued' OR status = 'running' AND lease < $4);

-- name: beat_batch
-- Writes progress and a sign of life.
UPDATE batch SET progress = $3, lease = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'running';

-- name: end_batch
-- Writes what became of a batch.
UPDATE batch SET status = $3, answer = $4, finished_at = $5, progress = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: get_batch
-- One batch of a tenant.
SELECT b.id, b.status, b.request, b.progress, b.answer, b.created_at, b.finished_at, b.actor FROM batch b JOIN tenant t ON t.id = b.tenant_id WHERE t.slug = $1 AND b.id = $2;

-- name: list_batches
-- A tenant's batches, newest first.
SELECT b.id, b.status, b.request, b.progress, b.answer, b.created_at, b.finished_at, b.actor FROM batch b JOIN tenant t ON t.id = b.tenant_id WHERE t.slug = $1 ORDER BY b.created_at DESC, b.id LIMIT $2 OFFSET $3;

-- name: forget_dry_runs
-- Forgets dry runs that ended before an instant.
DELETE FROM batch WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND finished_at < $2 AND finished_at <> '' AND request LIKE '%"dry_run":true%';

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

-- name: suppress_person
-- Remembers a keyed hash of somebody who was erased.
INSERT INTO suppressed_person (tenant_id, hash, created_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, hash) DO NOTHING;

-- name: suppressed_people
-- The keyed hashes of those who were erased.
SELECT s.hash FROM suppressed_person s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 ORDER BY s.hash;

-- name: old_originals
-- How many originals of imports were last used before an instant.
SELECT count(*) FROM upload u JOIN tenant t ON t.id = u.tenant_id WHERE t.slug = $1 AND u.kept = 1 AND u.touched_at < $2;

-- name: old_rejects
-- How many rejected rows are of imports that ended before an instant.
SELECT count(*) FROM import_reject r JOIN import i ON i.id = r.import_id JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.finished_at < $2;

-- name: delete_old_rejects
-- Removes the rejected rows of imports that ended before an instant.
DELETE FROM import_reject WHERE import_id IN (SELECT i.id FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.finished_at < $2);

-- name: list_uploads
-- The ids of a tenant's uploads.
SELECT u.id FROM upload u JOIN tenant t ON t.id = u.tenant_id WHERE t.slug = $1 ORDER BY u.created_at, u.id;

-- name: datasets_of_file
-- The datasets of the imports of a file, by its hash.
SELECT DISTINCT i.dataset FROM import i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.sha256 = $2 ORDER BY i.dataset;
