-- name: insert_tenant
-- Adds a tenant unless its name is taken.
INSERT INTO tenant (slug, name, time_zone, currency, created_at) VALUES ($1, $2, 'UTC', 'USD', $3) ON CONFLICT (slug) DO NOTHING;

-- name: tenant_id
-- The id of a tenant by its name.
SELECT id FROM tenant WHERE slug = $1;

-- name: tenants
-- All tenants, the oldest first.
SELECT slug FROM tenant ORDER BY id;

-- name: next_id
-- The next number of a series, which begins with 1.
INSERT INTO id_counter (name, last) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET last = id_counter.last + 1 RETURNING last;
