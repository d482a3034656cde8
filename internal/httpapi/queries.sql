-- name: claim_key
-- Takes a key for a request: it is new, or its answer is forgotten, or whoever held it is gone.
INSERT INTO idempotency (tenant_id, id, runner, request, status, media, body, held_until, created_at)
VALUES ($1, $2, $3, '', 0, '', '', $4, $5)
ON CONFLICT (tenant_id, id) DO UPDATE SET runner = excluded.runner, request = '', status = 0, media = '', body = '', held_until = excluded.held_until, created_at = excluded.created_at
WHERE idempotency.created_at < $6 OR (idempotency.status = 0 AND idempotency.held_until < $5);

-- name: get_key
-- What is kept under a key.
SELECT request, status, media, body FROM idempotency WHERE tenant_id = $1 AND id = $2;

-- name: hold_key
-- Says that the request still runs.
UPDATE idempotency SET held_until = $4 WHERE tenant_id = $1 AND id = $2 AND runner = $3 AND status = 0;

-- name: keep_answer
-- Keeps the answer of a request.
UPDATE idempotency SET request = $4, status = $5, media = $6, body = $7 WHERE tenant_id = $1 AND id = $2 AND runner = $3;

-- name: release_key
-- Forgets a request that changed nothing.
DELETE FROM idempotency WHERE tenant_id = $1 AND id = $2 AND runner = $3;

-- name: forget_keys
-- Forgets answers older than an instant, of all tenants.
DELETE FROM idempotency WHERE created_at < $1;
