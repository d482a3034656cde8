-- name: insert_head
-- Begins a tenant's chain unless it has begun.
INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, 0, '') ON CONFLICT (tenant_id) DO NOTHING;

-- name: next_seq
-- Takes the next number; the row stays locked until the transaction ends.
UPDATE audit_head SET seq = seq + 1 WHERE tenant_id = $1 RETURNING seq, hash;

-- name: set_head
-- The chain's end after an entry was added.
UPDATE audit_head SET hash = $2 WHERE tenant_id = $1;

-- name: insert_event
-- Adds one entry.
INSERT INTO audit_event (tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: list_events
-- A page of one tenant's entries, oldest first.
SELECT e.seq, e.at, e.actor, e.action, e.subject_kind, e.subject_id, e.snapshot, e.detail, e.prev_hash, e.hash
FROM audit_event e JOIN tenant t ON t.id = e.tenant_id WHERE t.slug = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3;

-- name: head
-- Where one tenant's chain ends.
SELECT h.seq, h.hash FROM audit_head h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1;
