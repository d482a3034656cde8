-- name: get_policy_head
-- Which version of its policies a tenant follows, and the key of its looks as other roles.
SELECT h.current_version, h.view_key FROM policy_head h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1;

-- name: begin_policy_head
-- Gives a tenant its head unless it has one.
INSERT INTO policy_head (tenant_id, current_version, last_version, view_key) VALUES ($1, 0, 0, $2) ON CONFLICT (tenant_id) DO NOTHING;

-- name: take_policy_head
-- Reads the head to change policies; the row stays locked until the transaction ends.
UPDATE policy_head SET last_version = last_version WHERE tenant_id = $1 RETURNING current_version, last_version;

-- name: set_policy_head
-- Writes the head.
UPDATE policy_head SET current_version = $2, last_version = $3 WHERE tenant_id = $1;

-- name: insert_policy_version
-- Adds a version.
INSERT INTO policy_version (tenant_id, version, base, status, body, reason, created_at, author, decided_at, decided_by, decision_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '');

-- name: decide_policy_version
-- Says what became of a proposed version.
UPDATE policy_version SET status = $3, decided_at = $4, decided_by = $5, decision_reason = $6 WHERE tenant_id = $1 AND version = $2 AND status = 'proposed';

-- name: get_policy_version
-- One version of a tenant's policies.
SELECT v.version, v.base, v.status, v.body, v.reason, v.created_at, v.author, v.decided_at, v.decided_by, v.decision_reason
FROM policy_version v JOIN tenant t ON t.id = v.tenant_id WHERE t.slug = $1 AND v.version = $2;

-- name: list_policy_versions
-- A page of a tenant's versions, newest first; status '' is any.
SELECT v.version, v.base, v.status, v.body, v.reason, v.created_at, v.author, v.decided_at, v.decided_by, v.decision_reason
FROM policy_version v JOIN tenant t ON t.id = v.tenant_id WHERE t.slug = $1 AND ($2 = '' OR v.status = $2) ORDER BY v.version DESC LIMIT $3;
