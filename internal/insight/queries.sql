-- name: open_hits
-- What the rules of a tenant hold for now.
SELECT h.id, h.rule, h.version, h.subject, h.value, h.period_from, h.period_to, h.snapshot, h.first_at, h.last_at, h.ended_at
FROM rule_hit h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 AND h.ended_at = '' ORDER BY h.id;

-- name: list_hits
-- When the rules of a tenant held, or one of them, the last begun first.
SELECT h.id, h.rule, h.version, h.subject, h.value, h.period_from, h.period_to, h.snapshot, h.first_at, h.last_at, h.ended_at
FROM rule_hit h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 AND ($2 = '' OR h.rule = $2) ORDER BY h.first_at DESC, h.id LIMIT $3 OFFSET $4;

-- name: insert_hit
-- A rule begins to hold for a subject.
INSERT INTO rule_hit (tenant_id, id, rule, version, subject, value, period_from, period_to, snapshot, first_at, last_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, '');

-- name: renew_hit
-- A rule goes on to hold.
UPDATE rule_hit SET value = $3, period_from = $4, period_to = $5, snapshot = $6, last_at = $7
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: end_hit
-- A rule has ceased to hold.
UPDATE rule_hit SET ended_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;
