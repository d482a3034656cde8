-- name: any_account
-- Whether there is any account.
SELECT COUNT(*) FROM (SELECT id FROM account LIMIT 1) a;

-- name: claim_set_up
-- Of two that make the first account at a time, one gets through.
INSERT INTO control (key, value) VALUES ('access.owner', $1);

-- name: lookup_key
-- The key that addresses are hashed with, sealed.
SELECT sealed FROM account_key WHERE id = 'lookup';

-- name: insert_lookup_key
-- Keeps it, unless another process was faster.
INSERT INTO account_key (id, sealed) VALUES ('lookup', $1) ON CONFLICT (id) DO NOTHING;

-- name: insert_account
INSERT INTO account (id, email_hash, email, name, password, totp, totp_step, disabled, created_at, seen_at, password_at)
VALUES ($1, $2, $3, $4, $5, '', 0, 0, $6, '', $6);

-- name: account_by_id
SELECT id, email, name, password, totp, totp_step, disabled, created_at, seen_at, password_at FROM account WHERE id = $1;

-- name: account_by_email
SELECT id, email, name, password, totp, totp_step, disabled, created_at, seen_at, password_at FROM account WHERE email_hash = $1;

-- name: set_password
UPDATE account SET password = $2, password_at = $3 WHERE id = $1;

-- name: set_name
UPDATE account SET name = $2 WHERE id = $1;

-- name: set_totp
UPDATE account SET totp = $2, totp_step = $3 WHERE id = $1;

-- name: use_totp_step
-- Takes a time step once; an earlier or the same step touches no row.
UPDATE account SET totp_step = $2 WHERE id = $1 AND totp_step < $2;

-- name: set_disabled
UPDATE account SET disabled = $2 WHERE id = $1;

-- name: set_seen
UPDATE account SET seen_at = $2 WHERE id = $1;

-- name: put_membership
INSERT INTO membership (account_id, tenant_id, role, clients, teams, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, tenant_id) DO UPDATE SET role = excluded.role, clients = excluded.clients, teams = excluded.teams;

-- name: delete_membership
DELETE FROM membership WHERE account_id = $1 AND tenant_id = $2;

-- name: membership
-- What an account is in a tenant.
SELECT t.slug, m.role, m.clients, m.teams FROM membership m JOIN tenant t ON t.id = m.tenant_id WHERE m.account_id = $1 AND t.slug = $2;

-- name: memberships
-- The tenants of an account, the oldest membership first.
SELECT t.slug, m.role, m.clients, m.teams FROM membership m JOIN tenant t ON t.id = m.tenant_id WHERE m.account_id = $1 ORDER BY m.created_at, t.slug;

-- name: lock_members
-- Takes a tenant's memberships, so that two changes cannot both leave it without an owner.
UPDATE membership SET role = role WHERE tenant_id = $1;

-- name: members
-- The accounts of a tenant, the oldest first.
SELECT a.id, a.email, a.name, a.disabled, a.created_at, a.seen_at, m.role, m.clients, m.teams, a.totp,
  (SELECT COUNT(*) FROM passkey p WHERE p.account_id = a.id),
  (SELECT COUNT(*) FROM session s WHERE s.account_id = a.id AND s.seen_at > $2 AND s.created_at > $3)
FROM membership m JOIN tenant t ON t.id = m.tenant_id JOIN account a ON a.id = m.account_id WHERE t.slug = $1 ORDER BY a.created_at, a.id;

-- name: insert_session
INSERT INTO session (hash, id, account_id, tenant_id, device, address, created_at, seen_at, confirmed_at)
SELECT $1, $2, $3, t.id, $4, $5, $6, $6, $6 FROM tenant t WHERE t.slug = $7;

-- name: session
-- A session by the hash of its token, with its account's state.
SELECT s.id, s.account_id, t.slug, s.device, s.address, s.created_at, s.seen_at, s.confirmed_at, a.disabled
FROM session s JOIN tenant t ON t.id = s.tenant_id JOIN account a ON a.id = s.account_id WHERE s.hash = $1;

-- name: sessions
-- An account's sessions, the last used first.
SELECT s.id, s.account_id, t.slug, s.device, s.address, s.created_at, s.seen_at, s.confirmed_at, 0
FROM session s JOIN tenant t ON t.id = s.tenant_id WHERE s.account_id = $1 AND s.seen_at > $2 AND s.created_at > $3 ORDER BY s.seen_at DESC, s.id;

-- name: touch_session
UPDATE session SET seen_at = $2, address = $3 WHERE hash = $1;

-- name: confirm_session
UPDATE session SET confirmed_at = $2 WHERE id = $1;

-- name: move_session
UPDATE session SET tenant_id = (SELECT id FROM tenant WHERE slug = $2) WHERE id = $1;

-- name: delete_session_by_hash
DELETE FROM session WHERE hash = $1;

-- name: delete_session
-- Ends one session of an account; another account's is not touched.
DELETE FROM session WHERE account_id = $1 AND id = $2;

-- name: delete_sessions
-- Ends all sessions of an account but one.
DELETE FROM session WHERE account_id = $1 AND id <> $2;

-- name: delete_tenant_sessions
-- Ends an account's sessions in a tenant.
DELETE FROM session WHERE account_id = $1 AND tenant_id = $2;

-- name: delete_old_sessions
DELETE FROM session WHERE seen_at <= $1 OR created_at <= $2;

-- name: insert_link
INSERT INTO access_link (hash, id, kind, account_id, tenant_id, email_hash, email, role, clients, teams, actor, created_at, expires_at)
SELECT $1, $2, $3, $4, t.id, $5, $6, $7, $8, $9, $10, $11, $12 FROM tenant t WHERE t.slug = $13;

-- name: link
SELECT l.id, l.kind, l.account_id, t.slug, l.email_hash, l.email, l.role, l.clients, l.teams, l.actor, l.created_at, l.expires_at
FROM access_link l JOIN tenant t ON t.id = l.tenant_id WHERE l.hash = $1 AND l.expires_at > $2;

-- name: links
-- A tenant's open invitations, the newest first.
SELECT l.id, l.kind, l.account_id, t.slug, l.email_hash, l.email, l.role, l.clients, l.teams, l.actor, l.created_at, l.expires_at
FROM access_link l JOIN tenant t ON t.id = l.tenant_id WHERE t.slug = $1 AND l.kind = 'invitation' AND l.expires_at > $2 ORDER BY l.created_at DESC, l.id;

-- name: delete_link
-- Takes a link out; of two that use it at a time, one touches a row.
DELETE FROM access_link WHERE hash = $1;

-- name: delete_invitation
DELETE FROM access_link WHERE kind = 'invitation' AND id = $1 AND tenant_id = (SELECT id FROM tenant WHERE slug = $2);

-- name: delete_invitations_of
-- Drops earlier invitations of an address to a tenant: the newest is the one that works.
DELETE FROM access_link WHERE kind = 'invitation' AND email_hash = $1 AND tenant_id = (SELECT id FROM tenant WHERE slug = $2);

-- name: delete_links_of
-- Drops an account's reset and sign-in links.
DELETE FROM access_link WHERE account_id = $1;

-- name: delete_old_links
DELETE FROM access_link WHERE expires_at <= $1;

-- name: insert_passkey
INSERT INTO passkey (id, account_id, host, name, credential, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, '');

-- name: passkeys
SELECT id, host, name, credential, created_at, used_at FROM passkey WHERE account_id = $1 ORDER BY created_at, id;

-- name: use_passkey
UPDATE passkey SET credential = $3, used_at = $4 WHERE account_id = $1 AND id = $2;

-- name: delete_passkey
DELETE FROM passkey WHERE account_id = $1 AND id = $2;

-- name: delete_passkeys
DELETE FROM passkey WHERE account_id = $1;

-- name: delete_recovery_codes
DELETE FROM recovery_code WHERE account_id = $1;

-- name: insert_recovery_code
INSERT INTO recovery_code (account_id, hash) VALUES ($1, $2);

-- name: use_recovery_code
-- Takes a code out: it works once.
DELETE FROM recovery_code WHERE account_id = $1 AND hash = $2;

-- name: count_recovery_codes
SELECT COUNT(*) FROM recovery_code WHERE account_id = $1;

-- name: insert_key
INSERT INTO api_key (id, hash, account_id, tenant_id, name, actions, created_at, expires_at, used_at, used_from)
SELECT $1, $2, $3, t.id, $4, $5, $6, $7, '', '' FROM tenant t WHERE t.slug = $8;

-- name: key
-- A key by the hash of it, with its account's state.
SELECT k.id, k.account_id, t.slug, k.name, k.actions, k.created_at, k.expires_at, k.used_at, k.used_from, a.disabled
FROM api_key k JOIN tenant t ON t.id = k.tenant_id JOIN account a ON a.id = k.account_id WHERE k.hash = $1;

-- name: keys
-- A tenant's keys, the newest first.
SELECT k.id, k.account_id, t.slug, k.name, k.actions, k.created_at, k.expires_at, k.used_at, k.used_from, 0
FROM api_key k JOIN tenant t ON t.id = k.tenant_id WHERE t.slug = $1 ORDER BY k.created_at DESC, k.id;

-- name: touch_key
UPDATE api_key SET used_at = $2, used_from = $3 WHERE id = $1;

-- name: delete_key
DELETE FROM api_key WHERE id = $1 AND tenant_id = (SELECT id FROM tenant WHERE slug = $2);

-- name: delete_keys_of
-- Ends an account's keys in a tenant.
DELETE FROM api_key WHERE account_id = $1 AND tenant_id = $2;

-- name: delete_all_keys_of
-- Ends an account's keys in all tenants.
DELETE FROM api_key WHERE account_id = $1;

-- name: erase_account
-- Leaves nothing of an account but its id and when it was made.
UPDATE account SET email_hash = $2, email = $3, name = $4, password = '', totp = '', totp_step = 0, disabled = 1, seen_at = '', password_at = created_at WHERE id = $1;

-- name: insert_failure
-- Begins counting what is tried.
INSERT INTO sign_in_failure (subject, failures, last_at, until_at) VALUES ($1, 0, $2, '') ON CONFLICT (subject) DO NOTHING;

-- name: take_failure
-- Reads a count to raise it; the row stays locked until the transaction ends.
UPDATE sign_in_failure SET failures = failures WHERE subject = $1 RETURNING failures, last_at, until_at;

-- name: set_failure
UPDATE sign_in_failure SET failures = $2, last_at = $3, until_at = $4 WHERE subject = $1;

-- name: forget_failure
DELETE FROM sign_in_failure WHERE subject = $1;

-- name: ease_failure
-- Takes one try back that was none.
UPDATE sign_in_failure SET failures = failures - 1, until_at = '' WHERE subject = $1 AND failures > 0;

-- name: delete_old_failures
DELETE FROM sign_in_failure WHERE last_at <= $1;

-- name: spend_token
-- A token that was used once is refused: a second one touches no row.
INSERT INTO spent_token (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING;

-- name: delete_old_tokens
DELETE FROM spent_token WHERE expires_at <= $1;

-- name: holders
-- The roles of a tenant's members who can sign in.
SELECT m.role FROM membership m JOIN tenant t ON t.id = m.tenant_id JOIN account a ON a.id = m.account_id
WHERE t.slug = $1 AND a.disabled = 0;

-- name: owners
-- The owners of a tenant who can sign in.
SELECT a.id FROM membership m JOIN tenant t ON t.id = m.tenant_id JOIN account a ON a.id = m.account_id
WHERE t.slug = $1 AND m.role = 'owner' AND a.disabled = 0;
