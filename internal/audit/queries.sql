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
INSERT INTO audit_event (tenant_id, seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: block_events
-- A part of one tenant's chain in its order.
SELECT seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by
FROM audit_event WHERE tenant_id = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq;

-- name: search_up
-- A page of one tenant's entries that fit, after a number, oldest first. An empty text and
-- a 0 ask for nothing.
SELECT seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by
FROM audit_event WHERE tenant_id = $1 AND seq > $2
    AND (CAST($3 AS TEXT) = '' OR actor = $3)
    AND (CAST($4 AS TEXT) = '' OR substr(action, 1, length(CAST($4 AS TEXT))) = $4)
    AND (CAST($5 AS TEXT) = '' OR subject_kind = $5)
    AND (CAST($6 AS TEXT) = '' OR subject_id = $6)
    AND (CAST($7 AS TEXT) = '' OR source = $7)
    AND (CAST($8 AS TEXT) = '' OR at >= $8)
    AND (CAST($9 AS TEXT) = '' OR at < $9)
    AND (CAST($10 AS TEXT) = '' OR lower(action || ' ' || subject_kind || ' ' || subject_id || ' ' || reason || ' ' || detail) LIKE lower(CAST($10 AS TEXT)) ESCAPE '\')
ORDER BY seq LIMIT $11;

-- name: search_down
-- The same before a number, newest first.
SELECT seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by
FROM audit_event WHERE tenant_id = $1 AND seq < $2
    AND (CAST($3 AS TEXT) = '' OR actor = $3)
    AND (CAST($4 AS TEXT) = '' OR substr(action, 1, length(CAST($4 AS TEXT))) = $4)
    AND (CAST($5 AS TEXT) = '' OR subject_kind = $5)
    AND (CAST($6 AS TEXT) = '' OR subject_id = $6)
    AND (CAST($7 AS TEXT) = '' OR source = $7)
    AND (CAST($8 AS TEXT) = '' OR at >= $8)
    AND (CAST($9 AS TEXT) = '' OR at < $9)
    AND (CAST($10 AS TEXT) = '' OR lower(action || ' ' || subject_kind || ' ' || subject_id || ' ' || reason || ' ' || detail) LIKE lower(CAST($10 AS TEXT)) ESCAPE '\')
ORDER BY seq DESC LIMIT $11;

-- name: recent_actors
-- Who acted in the last entries.
SELECT DISTINCT actor FROM (SELECT actor FROM audit_event WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2) e WHERE actor <> '' ORDER BY actor;

-- name: recent_actions
-- What was done in the last entries.
SELECT DISTINCT action FROM (SELECT action FROM audit_event WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2) e WHERE action <> '' ORDER BY action;

-- name: head
-- Where one tenant's chain ends.
SELECT seq, hash FROM audit_head WHERE tenant_id = $1;

-- name: get_event
-- One entry's hash.
SELECT hash FROM audit_event WHERE tenant_id = $1 AND seq = $2;

-- name: insert_key
-- Keeps a signing key; of two that are made at once the first stays.
INSERT INTO audit_key (tenant_id, id, public, sealed, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: newest_key
-- The key that signs now.
SELECT id, public, sealed FROM audit_key WHERE tenant_id = $1 ORDER BY created_at DESC, id LIMIT 1;

-- name: list_keys
-- All public keys that ever signed.
SELECT public FROM audit_key WHERE tenant_id = $1;

-- name: insert_checkpoint
-- Keeps a signed head.
INSERT INTO audit_checkpoint (tenant_id, seq, hash, at, public, signature) VALUES ($1, $2, $3, $4, $5, $6);

-- name: list_checkpoints
-- The signed heads, newest first.
SELECT seq, hash, at, public, signature FROM audit_checkpoint WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2;

-- name: get_checkpoint
-- One signed head.
SELECT seq, hash, at, public, signature FROM audit_checkpoint WHERE tenant_id = $1 AND seq = $2;

-- name: get_retention
-- How long entries keep their content.
SELECT days, read_days FROM audit_retention WHERE tenant_id = $1;

-- name: put_retention
-- Sets how long entries keep their content.
INSERT INTO audit_retention (tenant_id, days, read_days) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET days = excluded.days, read_days = excluded.read_days;

-- name: due_events
-- Entries whose content may go: those of form 2 before $2, those of reading before $3, and
-- none about the record itself; while a legal hold stands, none at all.
SELECT seq, at, actor, action, subject_kind, subject_id, snapshot, detail, prev_hash, hash, form, source, reason, salt, content, removed_by
FROM audit_event WHERE tenant_id = $1 AND form = 2 AND removed_by = 0 AND substr(action, 1, 6) <> 'audit.'
    AND (substr(action, 1, 5) = 'read.' AND at < $3 OR substr(action, 1, 5) <> 'read.' AND at < $2)
    AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.tenant_id = $1 AND h.ended_at = '')
ORDER BY seq LIMIT $4;

-- name: count_due
-- How many those are.
SELECT COUNT(*) FROM audit_event WHERE tenant_id = $1 AND form = 2 AND removed_by = 0 AND substr(action, 1, 6) <> 'audit.'
    AND (substr(action, 1, 5) = 'read.' AND at < $3 OR substr(action, 1, 5) <> 'read.' AND at < $2)
    AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.tenant_id = $1 AND h.ended_at = '');

-- name: remove_content
-- Takes an entry's content away and leaves its seal.
UPDATE audit_event SET actor = '', action = '', subject_kind = '', subject_id = '', snapshot = 0, detail = '', source = '', reason = '', salt = '', content = $3, removed_by = $4
WHERE tenant_id = $1 AND seq = $2;

-- name: insert_read
-- Notes that somebody has read a class in an hour; nothing is added the second time.
INSERT INTO audit_read (tenant_id, actor, class, hour) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, actor, class, hour) DO NOTHING;

-- name: forget_reads
-- Hours that are over need no note.
DELETE FROM audit_read WHERE tenant_id = $1 AND hour < $2;

-- name: position
-- The last entry that is no trace of reading or of reports.
SELECT e.seq, e.hash, e.at FROM audit_event e JOIN tenant t ON t.id = e.tenant_id
WHERE t.slug = $1 AND substr(e.action, 1, 7) <> 'report.' AND substr(e.action, 1, 9) <> 'delivery.' AND substr(e.action, 1, 5) <> 'read.'
ORDER BY e.seq DESC LIMIT 1;

-- name: extract_actions
-- How often what was done up to an entry, from an instant up to another.
SELECT e.action, count(*) FROM audit_event e JOIN tenant t ON t.id = e.tenant_id
WHERE t.slug = $1 AND e.seq <= $2 AND (CAST($3 AS TEXT) = '' OR e.at >= $3) AND (CAST($4 AS TEXT) = '' OR e.at < $4)
    AND substr(e.action, 1, 7) <> 'report.' AND substr(e.action, 1, 9) <> 'delivery.' AND substr(e.action, 1, 5) <> 'read.'
GROUP BY e.action ORDER BY 2 DESC, 1;

-- name: extract_actors
-- The same by who did it.
SELECT e.actor, count(*) FROM audit_event e JOIN tenant t ON t.id = e.tenant_id
WHERE t.slug = $1 AND e.seq <= $2 AND (CAST($3 AS TEXT) = '' OR e.at >= $3) AND (CAST($4 AS TEXT) = '' OR e.at < $4)
    AND substr(e.action, 1, 7) <> 'report.' AND substr(e.action, 1, 9) <> 'delivery.' AND substr(e.action, 1, 5) <> 'read.'
GROUP BY e.actor ORDER BY 2 DESC, 1;

-- name: extract_entries
-- The same entries, newest first.
SELECT e.seq, e.at, e.actor, e.action, e.subject_kind, e.subject_id, e.snapshot, e.detail, e.prev_hash, e.hash, e.form, e.source, e.reason, e.salt, e.content, e.removed_by
FROM audit_event e JOIN tenant t ON t.id = e.tenant_id
WHERE t.slug = $1 AND e.seq <= $2 AND (CAST($3 AS TEXT) = '' OR e.at >= $3) AND (CAST($4 AS TEXT) = '' OR e.at < $4)
    AND substr(e.action, 1, 7) <> 'report.' AND substr(e.action, 1, 9) <> 'delivery.' AND substr(e.action, 1, 5) <> 'read.'
ORDER BY e.seq DESC LIMIT $5;
