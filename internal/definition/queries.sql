-- name: get_revision
-- How often a tenant's definitions were changed.
SELECT h.revision FROM definition_head h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1;

-- name: list_current
-- What a tenant defines now.
SELECT d.kind, d.name, d.version, d.body, d.removed, d.created_at, d.author FROM definition d JOIN tenant t ON t.id = d.tenant_id
WHERE t.slug = $1 AND d.is_current = 1 ORDER BY d.kind, d.name;

-- name: list_versions
-- Every version of a definition, newest first.
SELECT d.kind, d.name, d.version, d.body, d.removed, d.created_at, d.author FROM definition d JOIN tenant t ON t.id = d.tenant_id
WHERE t.slug = $1 AND d.kind = $2 AND d.name = $3 ORDER BY d.version DESC;

-- name: begin_head
-- Gives a tenant its counter of changes unless it has one.
INSERT INTO definition_head (tenant_id, revision) VALUES ($1, 0) ON CONFLICT (tenant_id) DO NOTHING;

-- name: take_head
-- Reads the counter to change definitions; the row stays locked until the transaction ends.
UPDATE definition_head SET revision = revision WHERE tenant_id = $1 RETURNING revision;

-- name: set_head
-- Writes the counter.
UPDATE definition_head SET revision = $2 WHERE tenant_id = $1;

-- name: last_version
-- The newest version of a name, 0 when there is none.
SELECT COALESCE(MAX(version), 0) FROM definition WHERE tenant_id = $1 AND kind = $2 AND name = $3;

-- name: retire
-- The version so far is not the current one any more.
UPDATE definition SET is_current = 0 WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND is_current = 1;

-- name: insert
-- Adds a version.
INSERT INTO definition (tenant_id, kind, name, version, body, is_current, removed, created_at, author) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
