-- name: renew_proposal
-- Gives an open proposal newer evidence; what the first of two people decided on stays as
-- it was then.
UPDATE proposal SET evidence = CASE WHEN first_by = '' THEN $4 ELSE evidence END, weight = $5, import_id = $6, snapshot = CASE WHEN first_by = '' THEN $7 ELSE snapshot END,
  money = $8, currency = $9, client = $10, classes = $11
WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND status = 'open';

-- name: insert_proposal
-- Adds an open proposal.
INSERT INTO proposal (tenant_id, id, kind, subject, evidence, weight, import_id, snapshot, status, created_at, created_by, verdict, choice, reason, decided_at, decided_by,
  label, topic, client, classes, money, currency, due, expires, four_eyes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, '', '', '', '', '', $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: withdraw_proposal
-- Closes an open proposal without a decision.
UPDATE proposal SET status = 'withdrawn' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND kind = $2 AND subject = $3 AND status = 'open';

-- name: end_proposal
-- Notes that what a proposal was about does not hold any more.
UPDATE proposal SET ended_at = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND kind = $2 AND subject = $3 AND ended_at = '';

-- name: value_proposal
-- Sets what is at stake in an open proposal.
UPDATE proposal SET money = $3, currency = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open';

-- name: decide_proposal
-- Closes an open proposal with a decision; one for two people only when another one
-- decided the same first.
UPDATE proposal SET status = 'decided', verdict = $3, choice = $4, reason = $5, decided_at = $6, decided_by = $7
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open'
  AND (four_eyes = 0 OR (first_by <> '' AND first_by <> $7 AND first_by = $8 AND first_verdict = $3 AND first_choice = $4));

-- name: count_later
-- How many newer proposals of the same kind and subject are open or decided.
SELECT COUNT(*) FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.kind = $2 AND p.subject = $3 AND p.created_at > $4 AND p.status IN ('open', 'decided');

-- name: first_decision
-- Notes the first of two decisions.
UPDATE proposal SET first_verdict = $3, first_choice = $4, first_reason = $5, first_at = $6, first_by = $7
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open' AND four_eyes > 0;

-- name: reopen_proposal
-- Takes a decision back.
UPDATE proposal SET status = 'open', verdict = '', choice = '', reason = '', decided_at = '', decided_by = '', escalated_at = '',
  first_verdict = '', first_choice = '', first_reason = '', first_at = '', first_by = '', due = $3, expires = $4
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'decided';

-- name: assign_proposal
-- Gives an open proposal to somebody, and a day until when.
UPDATE proposal SET assignee = $3, due = $4, escalated_at = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open';

-- name: get_proposal
-- One proposal of a tenant.
SELECT p.id, p.kind, p.subject, p.evidence, p.weight, p.import_id, p.snapshot, p.status, p.created_at, p.created_by, p.verdict, p.choice, p.reason, p.decided_at, p.decided_by,
  p.label, p.topic, p.client, p.classes, p.money, p.currency, p.assignee, p.due, p.expires, p.four_eyes, p.ended_at, p.first_verdict, p.first_choice, p.first_reason, p.first_at, p.first_by
FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.id = $2;

-- name: open_of
-- The open proposal of a kind and subject.
SELECT p.id FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.kind = $2 AND p.subject = $3 AND p.status = 'open';

-- name: list_proposals
-- A tenant's proposals of a status, the last decided first, otherwise what is overdue on
-- the day $3 first, then by money at stake, weight and age.
SELECT p.id, p.kind, p.subject, p.evidence, p.weight, p.import_id, p.snapshot, p.status, p.created_at, p.created_by, p.verdict, p.choice, p.reason, p.decided_at, p.decided_by,
  p.label, p.topic, p.client, p.classes, p.money, p.currency, p.assignee, p.due, p.expires, p.four_eyes, p.ended_at, p.first_verdict, p.first_choice, p.first_reason, p.first_at, p.first_by
FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.status = $2
ORDER BY p.decided_at DESC, CASE WHEN p.due <> '' AND p.due < $3 THEN 0 ELSE 1 END, CAST(p.money AS NUMERIC) DESC, p.weight DESC, p.created_at, p.id;

-- name: last_of_kind
-- The proposals of a kind, the last made of each subject last.
SELECT p.id, p.kind, p.subject, '' AS evidence, p.weight, p.import_id, p.snapshot, p.status, p.created_at, p.created_by, p.verdict, p.choice, p.reason, p.decided_at, p.decided_by,
  p.label, p.topic, p.client, p.classes, p.money, p.currency, p.assignee, p.due, p.expires, p.four_eyes, p.ended_at, p.first_verdict, p.first_choice, p.first_reason, p.first_at, p.first_by
FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.kind = $2 ORDER BY p.created_at, p.id;

-- name: withdraw_import
-- Closes the open proposals of an import without a decision.
UPDATE proposal SET status = 'withdrawn' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND import_id = $2 AND status = 'open';

-- name: expire_proposal
-- Closes an open proposal whose time is over.
UPDATE proposal SET status = 'expired' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND status = 'open';

-- name: escalate_proposal
-- Notes that people were told that a proposal is overdue.
UPDATE proposal SET escalated_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: late_proposals
-- Open proposals that expired by the day $2, or are overdue and nobody was told so.
SELECT p.id, p.kind, p.label, p.assignee, p.due, p.expires FROM proposal p JOIN tenant t ON t.id = p.tenant_id
WHERE t.slug = $1 AND p.status = 'open' AND ((p.expires <> '' AND p.expires <= $2) OR (p.due <> '' AND p.due < $2 AND p.escalated_at = '')) ORDER BY p.created_at, p.id;

-- name: pinned_snapshots
-- The snapshots that questions and decisions rest on.
SELECT DISTINCT p.snapshot FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1 AND p.status IN ('open', 'decided') AND p.snapshot > 0 ORDER BY p.snapshot;

-- name: get_terms
-- A tenant's terms for a kind.
SELECT r.due_days, r.expire_days, r.four_eyes FROM review_term r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.kind = $2;

-- name: set_terms
-- Sets the terms of a kind.
INSERT INTO review_term (tenant_id, kind, due_days, expire_days, four_eyes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, kind) DO UPDATE SET due_days = excluded.due_days, expire_days = excluded.expire_days, four_eyes = excluded.four_eyes;

-- name: reset_terms
-- Takes the terms of a kind back to the standard.
DELETE FROM review_term WHERE tenant_id = $1 AND kind = $2;

-- name: topic_decisions
-- What was decided about topics, the last first, with when each topic was reset.
SELECT p.topic, p.verdict, p.decided_at, COALESCE(r.reset_at, '') FROM proposal p JOIN tenant t ON t.id = p.tenant_id
LEFT JOIN review_reset r ON r.tenant_id = p.tenant_id AND r.topic = p.topic
WHERE t.slug = $1 AND p.topic <> '' AND p.status = 'decided' ORDER BY p.topic, p.decided_at DESC, p.id;

-- name: reset_topic
-- Begins to count the rejections of a topic anew.
INSERT INTO review_reset (tenant_id, topic, reset_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, topic) DO UPDATE SET reset_at = excluded.reset_at;

-- name: insert_comment
-- Adds a comment.
INSERT INTO review_comment (tenant_id, id, kind, subject, label, link, text, salt, author, created_at, edited_at, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '');

-- name: list_comments
-- The comments on a subject, oldest first.
SELECT c.id, c.kind, c.subject, c.label, c.link, c.text, c.author, c.created_at, c.edited_at FROM review_comment c JOIN tenant t ON t.id = c.tenant_id
WHERE t.slug = $1 AND c.kind = $2 AND c.subject = $3 AND c.deleted_at = '' ORDER BY c.created_at, c.id;

-- name: get_comment
-- One comment.
SELECT c.id, c.kind, c.subject, c.label, c.link, c.text, c.author, c.created_at, c.edited_at FROM review_comment c JOIN tenant t ON t.id = c.tenant_id
WHERE t.slug = $1 AND c.id = $2 AND c.deleted_at = '';

-- name: get_salt
-- What a comment's commitment was made with.
SELECT c.salt FROM review_comment c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug = $1 AND c.id = $2 AND c.deleted_at = '';

-- name: edit_comment
-- Replaces the text of a comment.
UPDATE review_comment SET text = $3, salt = $4, edited_at = $5 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: delete_comment
-- Removes a comment with its text.
UPDATE review_comment SET text = '', salt = '', deleted_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: count_comments
-- How many comments stand on each subject of a kind.
SELECT c.subject, COUNT(*) FROM review_comment c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug = $1 AND c.kind = $2 AND c.deleted_at = '' GROUP BY c.subject ORDER BY c.subject;

-- name: seen_actors
-- Who took part in reviews so far.
SELECT DISTINCT who FROM (
  SELECT p.decided_by AS who FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1
  UNION ALL SELECT p.assignee FROM proposal p JOIN tenant t ON t.id = p.tenant_id WHERE t.slug = $1
  UNION ALL SELECT c.author FROM review_comment c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug = $1
) AS seen WHERE who <> '' ORDER BY who;
