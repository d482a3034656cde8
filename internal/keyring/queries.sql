-- name: open_keys
-- The keys that open values.
SELECT id, master, wrapped, state FROM secret_key WHERE state <> 'retired' ORDER BY created_at, id;

-- name: all_keys
-- All keys, oldest first.
SELECT id, master, state, created_at, resealed_at, retired_at FROM secret_key ORDER BY created_at, id;

-- name: first_key
-- Keeps the first key, unless there is a primary one.
INSERT INTO secret_key (id, master, wrapped, state, created_at, resealed_at, retired_at)
VALUES ($1, $2, $3, 'primary', $4, $4, '') ON CONFLICT (state) WHERE state = 'primary' DO NOTHING;

-- name: insert_key
-- Keeps a new primary key.
INSERT INTO secret_key (id, master, wrapped, state, created_at, resealed_at, retired_at)
VALUES ($1, $2, $3, 'primary', $4, '', '');

-- name: step_down
-- Takes a primary key's place.
UPDATE secret_key SET state = 'open' WHERE id = $1 AND state = 'primary';

-- name: rewrap_key
-- Keeps a key as another master key wraps it.
UPDATE secret_key SET master = $2, wrapped = $3 WHERE id = $1 AND wrapped = $4;

-- name: set_resealed
-- Says that nothing is sealed under another key than the primary one any more.
UPDATE secret_key SET resealed_at = $2 WHERE id = $1 AND state = 'primary';

-- name: retire_key
-- Forgets a key; its name stays.
UPDATE secret_key SET state = 'retired', wrapped = '', retired_at = $2 WHERE id = $1 AND state = 'open';
