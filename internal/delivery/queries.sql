-- name: insert_destination
-- Adds a destination.
INSERT INTO destination (tenant_id, id, name, kind, config, sealed, created_at, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: update_destination
-- Writes what a person changed about a destination.
UPDATE destination SET name = $3, kind = $4, config = $5, sealed = $6 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_destination
-- Forgets a destination.
DELETE FROM destination WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: list_destinations
-- A tenant's destinations by name; one of them when its id or name is given.
SELECT d.id, d.config, d.sealed, d.created_at, d.actor
FROM destination d JOIN tenant t ON t.id = d.tenant_id WHERE t.slug = $1 AND ($2 = '' OR d.id = $2 OR d.name = $2) ORDER BY d.name;

-- name: has_destination
-- Whether there is a destination, and of what kind.
SELECT d.kind FROM destination d JOIN tenant t ON t.id = d.tenant_id WHERE t.slug = $1 AND d.id = $2;

-- name: insert_delivery
-- Something is to be delivered, unless it was said before.
INSERT INTO delivery (tenant_id, id, once, destination_id, kind, ref, label, recipient, address, status, attempts, problem, lease, sha256, place, created_at, due_at, done_at, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', 0, '', '', '', '', $10, $10, '', $11) ON CONFLICT (tenant_id, once) DO NOTHING;

-- name: list_deliveries
-- What was delivered or is to be, the newest first; one, of one status, of one kind, about one thing.
SELECT d.id, d.destination_id, d.kind, d.ref, d.label, d.recipient, d.address, d.status, d.attempts, d.problem, d.lease, d.sha256, d.place, d.created_at, d.due_at, d.done_at, d.actor
FROM delivery d JOIN tenant t ON t.id = d.tenant_id
WHERE t.slug = $1 AND ($2 = '' OR d.id = $2) AND ($3 = '' OR d.status = $3) AND ($4 = '' OR d.kind = $4) AND ($5 = '' OR d.ref = $5)
ORDER BY d.created_at DESC, d.id LIMIT $6 OFFSET $7;

-- name: claim_delivery
-- One worker takes a delivery that waits; its attempt counts although the worker may be killed.
UPDATE delivery SET lease = $4, attempts = attempts + 1
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'waiting' AND lease < $3;

-- name: finish_delivery
-- A delivery is over: sent, failed or canceled.
UPDATE delivery SET status = $3, problem = $4, sha256 = $5, place = $6, done_at = $7, lease = ''
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'waiting';

-- name: cancel_delivery
-- A person ends a delivery that waits and is not being sent now.
UPDATE delivery SET status = 'canceled', problem = 'canceled', done_at = $3, lease = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'waiting' AND lease < $3;

-- name: postpone_delivery
-- An attempt did not work out; there will be another.
UPDATE delivery SET problem = $3, due_at = $4, lease = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'waiting';

-- name: retry_delivery
-- A person lets a delivery that failed or was canceled be tried again.
UPDATE delivery SET status = 'waiting', attempts = 0, problem = '', due_at = $3, done_at = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status IN ('failed', 'canceled');

-- name: cancel_deliveries_to
-- What waits for a destination that is removed is not sent.
UPDATE delivery SET status = 'canceled', problem = $3, done_at = $4, lease = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND destination_id = $2 AND status = 'waiting' AND lease < $4;

-- name: stranded_deliveries
-- What waits although its time came long ago: its job is gone.
SELECT d.id FROM delivery d JOIN tenant t ON t.id = d.tenant_id WHERE t.slug = $1 AND d.status = 'waiting' AND d.due_at < $2 AND d.lease < $3 ORDER BY d.due_at LIMIT 100;

-- name: touch_delivery
-- A job is made anew for a delivery that waits, once.
UPDATE delivery SET due_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'waiting' AND due_at < $4;

-- name: forget_deliveries
-- What was over long ago is forgotten.
DELETE FROM delivery WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND status <> 'waiting' AND done_at < $2;

-- name: insert_push_key
-- The key under which a tenant's messages reach browsers, the first one made.
INSERT INTO push_key (tenant_id, id, public, sealed, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: get_push_key
-- The key of a tenant.
SELECT k.public, k.sealed FROM push_key k JOIN tenant t ON t.id = k.tenant_id WHERE t.slug = $1 AND k.id = $2;

-- name: insert_subscription
-- Somebody wants messages on a device.
INSERT INTO push_subscription (tenant_id, id, actor, device, digest, sealed, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '');

-- name: drop_subscription_of
-- A device belongs to whoever subscribed last.
DELETE FROM push_subscription WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND digest = $2;

-- name: delete_subscription
-- Somebody, or the push service, ends a subscription.
DELETE FROM push_subscription WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND actor = $3;

-- name: delete_subscriptions_of
-- Whoever cannot sign in any more is told nothing.
DELETE FROM push_subscription WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND actor = $2;

-- name: use_subscription
-- A message reached a device.
UPDATE push_subscription SET used_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: list_subscriptions
-- The devices of somebody, or of all.
SELECT s.id, s.actor, s.device, s.sealed, s.created_at, s.used_at FROM push_subscription s JOIN tenant t ON t.id = s.tenant_id
WHERE t.slug = $1 AND ($2 = '' OR s.actor = $2) ORDER BY s.created_at, s.id;
