-- name: renew_proposal
-- Gives an open proposal newer evidence.
UPDATE proposal SET evidence = $4, weight = $5, import_id = $6, snapshot = $7 WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND status = 'open';

-- name: insert_proposal
-- Adds an open proposal.
INSERT INTO proposal (tenant_id, id, kind, subject, evidence, weight, import_id, snapshot, status, created_at, created_by, verdict, choice, reason, decided_at, decided_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, '', '', '', '', '');

-- name: withdraw_proposal
-- Closes an open proposal without a decision.
UPDATE proposal SET status = 'withdrawn' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND kind = $2 AND subject = $3 AND status = 'open';

-- name: decide_proposal
-- Closes an open proposal with a decision.
UPDATE proposal SET status = 'decided', verdict = $3, choice = $4, reason = $5, decided_at = $6, decided_by = $7
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open';

-- name: reopen_proposal
-- Takes a decision back.
UPDATE proposal SET status = 'open', verdict = '', choice = '', reason = '', decided_at = '', decided_by = ''
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'decided';

-- name: get_proposal
-- One proposal of a tenant.
SELECT p.id, p.kind, p.subject, p.evidence, p.weight, p.import_id, p.snapshot, p.status, p.created_at, p.created_by, p.verdict, p.choice, p.reason, p.decided_at, p.decided_by
FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.id = $2;

-- name: list_proposals
-- A page of a tenant's proposals of a status; kind '' is any.
SELECT p.id, p.kind, p.subject, p.evidence, p.weight, p.import_id, p.snapshot, p.status, p.created_at, p.created_by, p.verdict, p.choice, p.reason, p.decided_at, p.decided_by
FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.status = $2 AND ($3 = '' OR p.kind = $3)
ORDER BY p.decided_at DESC, p.weight DESC, p.created_at, p.id LIMIT $4 OFFSET $5;

-- name: count_open
-- How many proposals of each kind are open.
SELECT p.kind, COUNT(*) FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.status = 'open' GROUP BY p.kind ORDER BY p.kind;

-- name: withdraw_import
-- Closes the open proposals of an import without a decision.
UPDATE proposal SET status = 'withdrawn' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND import_id = $2 AND status = 'open';
