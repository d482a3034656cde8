-- name: list_rules
-- A tenant's retention rules.
SELECT r.dataset, r.what, r.months, r.changed_at, r.author FROM retention_rule r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 ORDER BY r.dataset, r.what;

-- name: set_rule
-- Says how long something is kept.
INSERT INTO retention_rule (tenant_id, dataset, what, months, changed_at, author) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, dataset, what) DO UPDATE SET months = excluded.months, changed_at = excluded.changed_at, author = excluded.author;

-- name: drop_rule
-- Takes a rule back.
DELETE FROM retention_rule WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND dataset = $2 AND what = $3;

-- name: list_holds
-- A tenant's legal holds, newest first.
SELECT h.id, h.kind, h.subject, h.period_from, h.period_to, h.reason, h.snapshot, h.created_at, h.author, h.ended_at, h.ended_by
FROM legal_hold h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 ORDER BY h.created_at DESC, h.id;

-- name: count_standing
-- How many holds of a tenant have not ended. The queries of audit and notice ask the same.
SELECT COUNT(*) FROM legal_hold h JOIN tenant t ON t.id = h.tenant_id WHERE t.slug = $1 AND h.ended_at = '';

-- name: insert_hold
-- Begins a hold.
INSERT INTO legal_hold (tenant_id, id, kind, subject, period_from, period_to, reason, snapshot, created_at, author, ended_at, ended_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '');

-- name: end_hold
-- Ends a hold.
UPDATE legal_hold SET ended_at = $3, ended_by = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND ended_at = '';

-- name: list_requests
-- A tenant's requests of persons, newest first.
SELECT r.id, r.kind, r.person, r.terms, r.state, r.received_on, r.due_on, r.proposal, r.outcome, r.created_at, r.author, r.decided_at, r.decided_by, r.ended_at
FROM person_request r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 ORDER BY r.created_at DESC, r.id;

-- name: get_request
-- One request.
SELECT r.id, r.kind, r.person, r.terms, r.state, r.received_on, r.due_on, r.proposal, r.outcome, r.created_at, r.author, r.decided_at, r.decided_by, r.ended_at
FROM person_request r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.id = $2;

-- name: insert_request
-- Notes a request.
INSERT INTO person_request (tenant_id, id, kind, person, terms, state, received_on, due_on, proposal, outcome, created_at, author, decided_at, decided_by, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, '', '', '');

-- name: decide_request
-- Moves a request on once somebody decided.
UPDATE person_request SET state = $3, decided_at = $4, decided_by = $5, ended_at = $6, terms = $7 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND state = 'waiting';

-- name: move_request
-- Moves a request from one state to the next.
UPDATE person_request SET state = $4, terms = $5, outcome = $6, ended_at = $7 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND state = $3;

-- name: set_proposal
-- Notes which proposal asks for the decision on a request.
UPDATE person_request SET proposal = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: open_proposal
-- The open proposal about a request.
SELECT p.id FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.kind = $2 AND p.subject = $3 AND p.status = 'open';

-- name: requests_in_state
-- The requests of a tenant that are in a state.
SELECT r.id FROM person_request r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.state = $2 ORDER BY r.created_at;

-- name: drop_answers
-- Forgets the answers that are kept for repeated requests, as any of them may name anybody.
-- Requests that still run (status 0) have none yet, and keep their place.
DELETE FROM idempotency WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND status <> 0;
