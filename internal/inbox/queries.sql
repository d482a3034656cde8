-- name: insert_source
-- Adds a source.
INSERT INTO source (tenant_id, id, name, config, sealed, enabled, status, problem, failures, due_at, ran_at, lease, created_at, actor)
VALUES ($1, $2, $3, $4, $5, $6, 'new', '', 0, $7, '', '', $8, $9);

-- name: update_source
-- Writes what a person changed about a source.
UPDATE source SET name = $3, config = $4, sealed = $5, enabled = $6, due_at = $7, status = 'new', problem = '', failures = 0
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_source
-- Forgets a source that no process is running.
DELETE FROM source WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND lease < $3;

-- name: delete_source_files
-- Forgets the files of a source.
DELETE FROM source_file WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND source_id = $2;

-- name: list_sources
-- A tenant's sources by name; one of them when its id or name is given.
SELECT s.id, s.name, s.config, s.sealed, s.enabled, s.status, s.problem, s.failures, s.due_at, s.ran_at, s.lease, s.created_at, s.actor
FROM source s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 AND ($2 = '' OR s.id = $2 OR s.name = $2) ORDER BY s.name;

-- name: claim_source
-- Takes a source that no living process runs.
UPDATE source SET lease = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND lease < $4;

-- name: beat_source
-- Says that the process that runs a source lives.
UPDATE source SET lease = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND lease <> '';

-- name: end_run
-- Writes how a run ended and when the next one is due.
UPDATE source SET status = $3, problem = $4, failures = $5, due_at = $6, ran_at = $7, lease = ''
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: make_due
-- Says that a source is to run now.
UPDATE source SET due_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND enabled = 1;

-- name: insert_file
-- Adds a file that was taken from a source.
INSERT INTO source_file (tenant_id, id, source_id, path, mark, bytes, sha256, status, problem, mapping, upload_id, batch_id, settled, moved_to, seen_at, done_at)
VALUES ((SELECT id FROM tenant WHERE slug = $1), $2, $3, $4, $5, $6, $7, $8, '', '', $9, '', 0, '', $10, '');

-- name: seen_files
-- What was seen of a source: paths and marks.
SELECT f.path, f.mark FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2;

-- name: same_content
-- How many imported files of a source have a content.
SELECT count(*) FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2 AND f.sha256 = $3 AND f.status = 'imported';

-- name: list_files
-- Files of a source, newest first, of one status when it is given.
SELECT f.id, f.path, f.mark, f.bytes, f.sha256, f.status, f.problem, f.mapping, f.upload_id, f.batch_id, f.settled, f.moved_to, f.seen_at, f.done_at
FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2 AND ($3 = '' OR f.status = $3)
ORDER BY f.seen_at DESC, f.id LIMIT $4 OFFSET $5;

-- name: get_file
-- One file of a source.
SELECT f.id, f.path, f.mark, f.bytes, f.sha256, f.status, f.problem, f.mapping, f.upload_id, f.batch_id, f.settled, f.moved_to, f.seen_at, f.done_at
FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2 AND f.id = $3;

-- name: open_files
-- Files of a source with which a run is not done.
SELECT f.id, f.path, f.mark, f.bytes, f.sha256, f.status, f.problem, f.mapping, f.upload_id, f.batch_id, f.settled, f.moved_to, f.seen_at, f.done_at
FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2
AND (f.status IN ('fetched', 'importing', 'released') OR f.settled = 0 AND f.status <> 'dismissed') ORDER BY f.seen_at, f.path;

-- name: bundle_files
-- Files of a source whose path begins with a bundle's name.
SELECT f.id, f.path, f.mark, f.bytes, f.sha256, f.status, f.problem, f.mapping, f.upload_id, f.batch_id, f.settled, f.moved_to, f.seen_at, f.done_at
FROM source_file f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1 AND f.source_id = $2 AND substr(f.path, 1, length($3)) = $3 ORDER BY f.path;

-- name: batch_files
-- Says in which batch a file is.
UPDATE source_file SET status = 'importing', batch_id = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: refetch_file
-- Says which upload holds a file now.
UPDATE source_file SET status = 'fetched', upload_id = $3, bytes = $4, sha256 = $5, batch_id = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: end_file
-- Writes what became of a file.
UPDATE source_file SET status = $3, problem = $4, done_at = $5, settled = 0 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: settle_file
-- Says that nothing more is to be done about a file at its source.
UPDATE source_file SET settled = 1, moved_to = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: release_file
-- Lets the next run try a file in quarantine again.
UPDATE source_file SET status = 'released', mapping = $3, batch_id = '', settled = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status IN ('quarantined', 'duplicate', 'dismissed');

-- name: dismiss_file
-- Takes a file out of quarantine without importing it.
UPDATE source_file SET status = 'dismissed', settled = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'quarantined';
