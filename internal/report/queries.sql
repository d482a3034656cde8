-- name: keep_input
-- Keeps what a report is made from, once.
INSERT INTO report_input (tenant_id, hash, body, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: get_input
-- What a report was made from.
SELECT i.body FROM report_input i JOIN tenant t ON t.id = i.tenant_id WHERE t.slug = $1 AND i.hash = $2;

-- name: insert
-- Begins a report.
INSERT INTO report (tenant_id, id, template, title, format, client, period_from, period_to, as_of, snapshot, audit_seq, definitions, settings_hash, input_hash, rights,
    state, done, total, doing, sha256, bytes, problem, notes, made_by, made_at, finished_at, removed_at, schedule, product)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, '', '', 0, '', '', $18, $19, '', '', $20, $21);

-- name: take
-- Begins the work on a report that waits, or that somebody was working on who is gone.
UPDATE report SET state = 'running', doing = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND state IN ('waiting', 'running');

-- name: progress
-- How far a report is; nothing when it was canceled.
UPDATE report SET done = $3, total = $4, doing = $5 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND state = 'running';

-- name: finish
-- Ends a report that is being made.
UPDATE report SET state = $3, sha256 = $4, bytes = $5, problem = $6, notes = $7, finished_at = $8, done = total, doing = ''
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND state IN ('waiting', 'running');

-- name: columns
-- All that is known of one report.
SELECT r.id, r.template, r.title, r.format, r.client, r.period_from, r.period_to, r.as_of, r.snapshot, r.audit_seq, r.definitions, r.settings_hash, r.input_hash, r.rights,
    r.state, r.done, r.total, r.doing, r.sha256, r.bytes, r.problem, r.notes, r.made_by, r.made_at, r.finished_at, r.removed_at, r.schedule, r.product
FROM report r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.id = $2;

-- name: list
-- Reports before one in time, newest first; an empty text asks for nothing.
SELECT r.id, r.template, r.title, r.format, r.client, r.period_from, r.period_to, r.as_of, r.snapshot, r.audit_seq, r.definitions, r.settings_hash, r.input_hash, r.rights,
    r.state, r.done, r.total, r.doing, r.sha256, r.bytes, r.problem, r.notes, r.made_by, r.made_at, r.finished_at, r.removed_at, r.schedule, r.product
FROM report r JOIN tenant t ON t.id = r.tenant_id
WHERE t.slug = $1 AND (CAST($2 AS TEXT) = '' OR r.made_at < $2 OR (r.made_at = $2 AND r.id < CAST($3 AS TEXT)))
    AND (CAST($4 AS TEXT) = '' OR r.template = $4) AND (CAST($5 AS TEXT) = '' OR r.schedule = $5 OR r.schedule LIKE $5 || ' %') AND (CAST($6 AS TEXT) = '' OR r.client = $6)
ORDER BY r.made_at DESC, r.id DESC LIMIT $7;

-- name: with_file
-- How many other reports have the same file.
SELECT count(*) FROM report r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.sha256 = $2 AND r.id <> $3 AND r.removed_at = '';

-- name: remove
-- Notes that a report's file is gone.
UPDATE report SET removed_at = $3 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND removed_at = '';

-- name: forget_input
-- Forgets what reports were made from, when no file of it is kept.
DELETE FROM report_input WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND hash = $2
    AND NOT EXISTS (SELECT 1 FROM report r WHERE r.tenant_id = report_input.tenant_id AND r.input_hash = report_input.hash AND r.removed_at = '');

-- name: older
-- The reports before an instant that keep a file, or what they were made from, and that nobody is making.
SELECT r.id, r.made_at FROM report r JOIN tenant t ON t.id = r.tenant_id
WHERE t.slug = $1 AND r.made_at < $2 AND r.removed_at = '' AND r.state NOT IN ('waiting', 'running') ORDER BY r.made_at, r.id;

-- name: insert_receipt
-- Notes who got a file.
INSERT INTO report_receipt (tenant_id, report, receiver, channel, at, delivery) VALUES ((SELECT id FROM tenant WHERE slug = $1), $2, $3, $4, $5, $6);

-- name: told
-- How often somebody was told that a file is there.
SELECT count(*) FROM report_receipt x JOIN tenant t ON t.id = x.tenant_id WHERE t.slug = $1 AND x.report = $2 AND x.receiver = $3 AND x.channel = 'notice';

-- name: receipts
-- Who got a file, oldest first.
SELECT x.receiver, x.channel, x.at, x.delivery FROM report_receipt x JOIN tenant t ON t.id = x.tenant_id WHERE t.slug = $1 AND x.report = $2 ORDER BY x.at, x.receiver;

-- name: snapshots
-- The snapshots that kept reports were made from.
SELECT DISTINCT r.snapshot FROM report r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.removed_at = '' AND r.state IN ('waiting', 'running', 'done');

-- name: of_run
-- What a run of a schedule has made already, for a client, in a format, with rights.
SELECT r.id FROM report r JOIN tenant t ON t.id = r.tenant_id
WHERE t.slug = $1 AND r.schedule = $2 AND r.format = $3 AND r.client = $4 AND r.rights = $5 AND r.state = 'done' AND r.removed_at = '' ORDER BY r.made_at LIMIT 1;

-- name: insert_schedule
-- Adds a schedule.
INSERT INTO report_schedule (tenant_id, id, name, body, paused, next_at, last_at, last_problem, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8);

-- name: change_schedule
-- Changes a schedule; whoever changes it answers for it. Without a next time it stays as it is.
UPDATE report_schedule SET name = $3, body = $4, paused = $5, next_at = CASE WHEN CAST($6 AS TEXT) = '' THEN next_at ELSE $6 END, last_problem = '', created_by = $7 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: remove_schedule
-- Removes a schedule.
DELETE FROM report_schedule WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: schedules
-- A tenant's schedules by name; an empty id asks for all.
SELECT s.id, s.name, s.body, s.paused, s.next_at, s.last_at, s.last_problem, s.created_by, s.created_at
FROM report_schedule s JOIN tenant t ON t.id = s.tenant_id WHERE t.slug = $1 AND (CAST($2 AS TEXT) = '' OR s.id = $2) ORDER BY s.name, s.id;

-- name: due_schedules
-- The schedules of all tenants that are due.
SELECT t.slug, s.id, s.next_at FROM report_schedule s JOIN tenant t ON t.id = s.tenant_id WHERE s.paused = 0 AND s.next_at <> '' AND s.next_at <= $1 ORDER BY s.next_at;

-- name: claim_schedule
-- Takes a due run; nothing when somebody else did.
UPDATE report_schedule SET next_at = $4 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2 AND next_at = $3 AND paused = 0;

-- name: ran_schedule
-- Notes what became of a run; a next time only when it is sooner.
UPDATE report_schedule SET last_at = $3, last_problem = $4, next_at = CASE WHEN CAST($5 AS TEXT) <> '' AND (next_at = '' OR next_at > $5) THEN $5 ELSE next_at END
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: sent_to
-- The reports that somebody got by a schedule.
SELECT DISTINCT x.report FROM report_receipt x JOIN tenant t ON t.id = x.tenant_id WHERE t.slug = $1 AND x.receiver = $2 AND x.channel <> 'download';

-- name: reseal_schedule
-- Replaces whom a schedule sends to.
UPDATE report_schedule SET body = $3, paused = $4, last_problem = '' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND id = $2;

-- name: forget_receiver
-- Forgets who got files.
UPDATE report_receipt SET receiver = 'erased' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND receiver = $2;

-- name: files
-- The files that are kept.
SELECT DISTINCT r.sha256, r.bytes FROM report r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = $1 AND r.state = 'done' AND r.removed_at = '';

-- name: give_up
-- Ends reports that were begun before an instant and that nobody makes any more.
UPDATE report SET state = 'failed', problem = $3, finished_at = $4, doing = ''
WHERE tenant_id = (SELECT id FROM tenant WHERE slug = $1) AND state IN ('waiting', 'running') AND made_at < $2;
