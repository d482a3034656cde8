-- name: list_items
-- A page of a tenant's items of a kind, newest change first; a dashboard without its content.
SELECT i.id, i.name, CASE WHEN i.kind = 'dashboard' THEN '' ELSE i.content END, i.revision, i.last_revision, i.created_at, i.updated_at, i.deleted_at, i.author
FROM workspace_item i JOIN tenant t ON t.id = i.tenant_id
WHERE t.slug = $1 AND i.kind = $2 AND i.deleted_at = '' ORDER BY i.updated_at DESC, i.id LIMIT $3 OFFSET $4;

-- name: list_deleted
-- The same of items deleted since an instant, the last deleted first.
SELECT i.id, i.name, CASE WHEN i.kind = 'dashboard' THEN '' ELSE i.content END, i.revision, i.last_revision, i.created_at, i.updated_at, i.deleted_at, i.author
FROM workspace_item i JOIN tenant t ON t.id = i.tenant_id
WHERE t.slug = $1 AND i.kind = $2 AND i.deleted_at >= $3 AND i.deleted_at <> '' ORDER BY i.deleted_at DESC, i.id LIMIT $4 OFFSET $5;

-- name: get_item
-- One item of a tenant.
SELECT i.id, i.name, i.content, i.revision, i.last_revision, i.created_at, i.updated_at, i.deleted_at, i.author
FROM workspace_item i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.kind = $2 AND i.id = $3;

-- name: get_link
-- The link of a tenant to a path, by the path's digest.
SELECT i.id, i.name, i.content, i.revision, i.last_revision, i.created_at, i.updated_at, i.deleted_at, i.author
FROM workspace_item i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.digest = $2;

-- name: take_item
-- Reads an item to change it; the row stays locked until the transaction ends.
UPDATE workspace_item SET kind = kind WHERE tenant_id = $1 AND kind = $2 AND id = $3
RETURNING id, name, content, revision, last_revision, created_at, updated_at, deleted_at, author;

-- name: insert_item
-- Adds an item at revision 1.
INSERT INTO workspace_item (tenant_id, id, kind, name, content, revision, last_revision, created_at, updated_at, deleted_at, author)
VALUES ($1, $2, $3, $4, $5, 1, 1, $6, $7, '', $8);

-- name: insert_link
-- Adds a link unless there is one to this path.
INSERT INTO workspace_item (tenant_id, id, kind, name, content, digest, revision, last_revision, created_at, updated_at, deleted_at, author)
VALUES ($1, $2, $3, '', $4, $5, 1, 1, $6, $7, '', $8) ON CONFLICT (tenant_id, digest) DO NOTHING;

-- name: revive_link
-- Brings back a deleted link to this path.
UPDATE workspace_item SET deleted_at = '' WHERE tenant_id = $1 AND digest = $2;

-- name: set_item
-- Writes what a change made of an item.
UPDATE workspace_item SET name = $3, content = $4, revision = $5, last_revision = $6, updated_at = $7, deleted_at = $8 WHERE tenant_id = $1 AND id = $2;

-- name: count_items
-- How many items of a kind a tenant has, without deleted ones.
SELECT COUNT(*) FROM workspace_item WHERE tenant_id = $1 AND kind = $2 AND deleted_at = '';

-- name: count_expired
-- How many deleted items are due to be purged.
SELECT COUNT(*) FROM workspace_item i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.deleted_at <> '' AND i.deleted_at < $2;

-- name: purge_items
-- Forgets items deleted before an instant, with their revisions.
DELETE FROM workspace_item WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND deleted_at <> '' AND deleted_at < $2;

-- name: list_revisions
-- The kept revisions of an item, oldest first.
SELECT r.revision, r.saved_at FROM workspace_revision r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.item_id = $2 ORDER BY r.revision;

-- name: get_revision
-- What an item was at a revision.
SELECT name, content FROM workspace_revision WHERE tenant_id = $1 AND item_id = $2 AND revision = $3;

-- name: insert_revision
-- Keeps a revision.
INSERT INTO workspace_revision (tenant_id, item_id, revision, name, content, saved_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: cut_revisions
-- Forgets the revisions after one: what could have been redone.
DELETE FROM workspace_revision WHERE tenant_id = $1 AND item_id = $2 AND revision > $3;

-- name: prune_revisions
-- Forgets all but the newest revisions.
DELETE FROM workspace_revision WHERE tenant_id = $1 AND item_id = $2
AND revision NOT IN (SELECT revision FROM workspace_revision WHERE tenant_id = $1 AND item_id = $2 ORDER BY revision DESC LIMIT $3);

-- name: insert_feedback
-- Keeps an answer.
INSERT INTO workspace_feedback (tenant_id, id, at, score, comment, page) VALUES ($1, $2, $3, $4, $5, $6);

-- name: list_feedback
-- A tenant's answers before an id, newest first.
SELECT f.id, f.at, f.score, f.comment, f.page FROM workspace_feedback f JOIN tenant t ON t.id = f.tenant_id
WHERE t.slug = $1 AND f.id < $2 ORDER BY f.id DESC LIMIT $3;

-- name: sum_feedback
-- How many answers there are, and those with a score by their group.
SELECT COUNT(*), COUNT(f.score), COUNT(CASE WHEN f.score >= 9 THEN 1 END), COUNT(CASE WHEN f.score <= 6 THEN 1 END)
FROM workspace_feedback f JOIN tenant t ON t.id = f.tenant_id WHERE t.slug = $1;

-- name: delete_feedback
-- Forgets one answer.
DELETE FROM workspace_feedback WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: add_usage
-- Counts uses of a feature by someone on a day.
INSERT INTO workspace_usage (tenant_id, day, feature, actor, uses) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, day, feature, actor) DO UPDATE SET uses = workspace_usage.uses + excluded.uses;

-- name: forget_usage
-- Forgets uses before a day.
DELETE FROM workspace_usage WHERE tenant_id = $1 AND day < $2;

-- name: adoption
-- Uses of each feature from a day on, the most used first.
SELECT u.feature, CAST(SUM(u.uses) AS BIGINT), COUNT(DISTINCT u.actor), MIN(u.day), MAX(u.day)
FROM workspace_usage u JOIN tenant t ON t.id = u.tenant_id WHERE t.slug = $1 AND u.day >= $2 GROUP BY u.feature ORDER BY 2 DESC, 1;

-- name: get_settings
-- A tenant's settings.
SELECT s.name, s.currency, s.locale, s.theme, s.density FROM workspace_settings s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1;

-- name: begin_settings
-- Gives a tenant the default settings unless it has some.
INSERT INTO workspace_settings (tenant_id, name, currency, locale, theme, density) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id) DO NOTHING;

-- name: take_settings
-- Reads the settings to change them; the row stays locked until the transaction ends.
UPDATE workspace_settings SET name = name WHERE tenant_id = $1 RETURNING name, currency, locale, theme, density;

-- name: set_settings
-- Writes the settings.
UPDATE workspace_settings SET name = $2, currency = $3, locale = $4, theme = $5, density = $6 WHERE tenant_id = $1;
