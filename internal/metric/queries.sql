-- name: list_settings
-- What a tenant set of a kind, by name.
SELECT s.name, s.content, s.changed_at, s.author FROM metric_setting s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 AND s.kind = $2 ORDER BY s.name;

-- name: get_setting
-- One of them.
SELECT s.content FROM metric_setting s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 AND s.kind = $2 AND s.name = $3;

-- name: put_setting
-- Sets or changes one.
INSERT INTO metric_setting (tenant_id, kind, name, content, changed_at, author) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, kind, name) DO UPDATE SET content = excluded.content, changed_at = excluded.changed_at, author = excluded.author;

-- name: delete_setting
-- Goes back to the default.
DELETE FROM metric_setting WHERE tenant_id = $1 AND kind = $2 AND name = $3;

-- name: time_zone
-- The time zone of a tenant.
SELECT time_zone FROM tenant WHERE slug = $1;
