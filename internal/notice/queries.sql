-- name: insert
-- Adds a notice.
INSERT INTO notice (tenant_id, id, kind, subject, message, created_at, read_at, recipient, link, needs) VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9);

-- name: forget
-- Forgets notices of before an instant, none while a legal hold stands.
DELETE FROM notice WHERE tenant_id = $1 AND created_at < $2 AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.tenant_id = $1 AND h.ended_at = '');

-- name: withdraw
-- Takes notices back.
DELETE FROM notice WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND kind = $2 AND subject = $3;

-- name: list
-- The notices to an actor and to everybody, newest first, with when the actor read them;
-- what was read before each reader was told apart is read by everybody.
SELECT n.id, n.kind, n.subject, n.message, n.created_at, n.recipient, n.link, n.needs, COALESCE(r.read_at, n.read_at)
FROM notice n JOIN tenant t ON t.id = n.tenant_id LEFT JOIN notice_read r ON r.tenant_id = n.tenant_id AND r.notice_id = n.id AND r.actor = $2
WHERE t.slug = $1 AND (n.recipient = '' OR n.recipient = $2) ORDER BY n.created_at DESC, n.id;

-- name: mark_read
-- Marks a notice as read by an actor.
INSERT INTO notice_read (tenant_id, notice_id, actor, read_at) VALUES ((SELECT id FROM tenant WHERE slug = $1), $2, $3, $4) ON CONFLICT DO NOTHING;
