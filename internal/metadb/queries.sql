-- name: insert_tenant
INSERT INTO tenant (slug, name, time_zone, currency, created_at) VALUES ($1, $2, 'UTC', 'USD', $3) ON CONFLICT (slug) DO NOTHING;

-- name: tenant_id
SELECT id FROM tenant WHERE slug = $1;

-- name: next_id
INSERT INTO id_counter (name, last) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET last = id_counter.last + 1 RETURNING last;
