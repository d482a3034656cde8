-- name: open_hits
-- What the rules of a tenant hold for now.
SELECT h.id, h.rule, h.version, h.subject, h.value, h.period_from, h.period_to, h.snapshot, h.first_at, h.last_at, h.ended_at
FROM rule_hit h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 AND h.ended_at = '' ORDER BY h.id;

-- name: get_hit
-- One time in which a rule held.
SELECT h.id, h.rule, h.version, h.subject, h.value, h.period_from, h.period_to, h.snapshot, h.first_at, h.last_at, h.ended_at
FROM rule_hit h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 AND h.id = $2;

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

-- name: list_peers
-- Who takes part in the comparison of peers, in the order in which they are locked.
SELECT p.tenant_id, t.slug, p.joined_at, p.author FROM peer p JOIN tenant t ON t.id = p.tenant_id ORDER BY p.tenant_id;

-- name: join_peer
-- A tenant takes part from now on.
INSERT INTO peer (tenant_id, joined_at, author, touched) VALUES ($1, $2, $3, 0) ON CONFLICT (tenant_id) DO NOTHING;

-- name: leave_peer
-- A tenant no longer takes part.
DELETE FROM peer WHERE tenant_id = $1;

-- name: touch_peer
-- Waits for, and keeps waiting, whoever else draws from or removes this tenant.
UPDATE peer SET touched = touched + 1 WHERE tenant_id = $1;

-- name: withdraw_releases
-- Forgets what was drawn from a tenant's figures; what it took of the budget stays.
UPDATE peer_release SET content = '' WHERE content <> '' AND id IN (SELECT release_id FROM peer_release_member WHERE tenant_id = $1);

-- name: list_releases
-- What was drawn for a tenant, the last one last.
SELECT r.measure, r.quarter, r.source, r.epsilon_milli, r.content, r.created_at
FROM peer_release r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 ORDER BY r.created_at, r.id;

-- name: insert_release
-- What is drawn for a tenant.
INSERT INTO peer_release (id, tenant_id, measure, quarter, source, epsilon_milli, content, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: insert_release_member
-- Whose figure is in a release.
INSERT INTO peer_release_member (release_id, tenant_id) VALUES ($1, $2);

-- name: releases_with
-- What was drawn in a quarter from a tenant's figure, by who asked.
SELECT r.tenant_id, r.epsilon_milli FROM peer_release r JOIN peer_release_member m ON m.release_id = r.id JOIN tenant t ON t.id = m.tenant_id
WHERE t.slug = $1 AND r.quarter = $2;
