-- name: insert_route
-- Adds a route.
INSERT INTO alert_route (tenant_id, id, name, body, sent_at, touched, created_at, actor) VALUES ($1, $2, $3, $4, '', 0, $5, $6);

-- name: update_route
-- Writes what a person changed about a route.
UPDATE alert_route SET name = $3, body = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_route
-- Forgets a route.
DELETE FROM alert_route WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_due_of
-- Forgets what a route was to tell.
DELETE FROM alert_due WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2;

-- name: list_routes
-- A tenant's routes by name; one of them when its id or name is given.
SELECT r.id, r.body, r.sent_at, r.created_at, r.actor FROM alert_route r JOIN tenant t ON t.id = r.tenant_id
WHERE t.slug = $1 AND ($2 = '' OR r.id = $2 OR r.name = $2) ORDER BY r.name;

-- name: lock_route
-- One process at a time tells what a route has to tell, if nothing was told since it was read.
UPDATE alert_route SET touched = touched + 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND sent_at = $3;

-- name: route_sent
-- A route has told something.
UPDATE alert_route SET sent_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: insert_due
-- A route is to tell of a hit, unless it knows of it.
INSERT INTO alert_due (tenant_id, route_id, hit_id, status, due_at, told_at, times) VALUES ($1, $2, $3, 'waiting', $4, '', 0)
ON CONFLICT (tenant_id, route_id, hit_id) DO NOTHING;

-- name: list_due
-- What the routes of a tenant know of; of one hit when it is given.
SELECT d.route_id, d.hit_id, d.status, d.due_at, d.told_at, d.times FROM alert_due d JOIN tenant t ON t.id = d.tenant_id
WHERE t.slug = $1 AND ($2 = '' OR d.hit_id = $2) ORDER BY d.route_id, d.hit_id;

-- name: list_open_due
-- What the routes of a tenant know of what holds (insight keeps that), and what waits.
SELECT d.route_id, d.hit_id, d.status, d.due_at, d.told_at, d.times FROM alert_due d JOIN tenant t ON t.id = d.tenant_id
LEFT JOIN rule_hit h ON h.tenant_id = d.tenant_id AND h.id = d.hit_id
WHERE t.slug = $1 AND (d.status = 'waiting' OR h.ended_at = '') ORDER BY d.route_id, d.hit_id;

-- name: tell_due
-- A hit is told of now, if nobody else has done so.
UPDATE alert_due SET status = $4, due_at = $5, told_at = $6, times = times + 1
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2 AND hit_id = $3 AND status = 'waiting' AND due_at <= $6;

-- name: look_again
-- Nobody could be told of a hit: it goes on to wait, if nobody else has told of it.
UPDATE alert_due SET due_at = $4
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2 AND hit_id = $3 AND status = 'waiting' AND due_at <= $5;

-- name: postpone_due
-- A hit is told of later.
UPDATE alert_due SET due_at = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2 AND hit_id = $3 AND status = 'waiting';

-- name: wait_due
-- A hit waits again, with a reminder.
UPDATE alert_due SET status = 'waiting', due_at = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2 AND hit_id = $3;

-- name: end_due
-- There is nothing to tell of a hit any more.
UPDATE alert_due SET status = 'over' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND route_id = $2 AND hit_id = $3 AND status = 'waiting';

-- name: end_hit_due
-- A hit is known: no route tells of it.
UPDATE alert_due SET status = 'over' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND hit_id = $2;

-- name: insert_ack
-- Somebody knows of a hit.
INSERT INTO alert_ack (tenant_id, hit_id, note, created_at, actor) VALUES ($1, $2, $3, $4, $5);

-- name: delete_ack
-- Somebody takes that back.
DELETE FROM alert_ack WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND hit_id = $2;

-- name: list_acks
-- Who knows of which hits; of one hit when it is given.
SELECT a.hit_id, a.note, a.created_at, a.actor FROM alert_ack a JOIN tenant t ON t.id = a.tenant_id WHERE t.slug = $1 AND ($2 = '' OR a.hit_id = $2);

-- name: list_open_acks
-- Who knows of what holds (insight keeps that).
SELECT a.hit_id, a.note, a.created_at, a.actor FROM alert_ack a JOIN tenant t ON t.id = a.tenant_id
JOIN rule_hit h ON h.tenant_id = a.tenant_id AND h.id = a.hit_id WHERE t.slug = $1 AND h.ended_at = '';

-- name: insert_message
-- What one recipient is told.
INSERT INTO alert_message (tenant_id, id, route_id, recipient, rights, subject, content, urgent, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: get_message
-- What one recipient is told.
SELECT m.recipient, m.rights, m.subject, m.content, m.urgent FROM alert_message m JOIN tenant t ON t.id = m.tenant_id WHERE t.slug = $1 AND m.id = $2;

-- name: forget_messages
-- What was told long ago is forgotten.
DELETE FROM alert_message WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND created_at < $2;

-- name: forget_due
-- What was told of what ended long ago is forgotten.
DELETE FROM alert_due WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1)
AND EXISTS (SELECT 1 FROM rule_hit h WHERE h.tenant_id = alert_due.tenant_id AND h.id = alert_due.hit_id AND h.ended_at <> '' AND h.ended_at < $2);

-- name: forget_acks
-- Who knew of what ended long ago is forgotten.
DELETE FROM alert_ack WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1)
AND EXISTS (SELECT 1 FROM rule_hit h WHERE h.tenant_id = alert_ack.tenant_id AND h.id = alert_ack.hit_id AND h.ended_at <> '' AND h.ended_at < $2);
