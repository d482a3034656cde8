-- +goose Up
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    email_hash TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    totp TEXT NOT NULL,
    totp_step BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    password_at TEXT NOT NULL
);
CREATE TABLE account_key (
    id TEXT PRIMARY KEY,
    sealed TEXT NOT NULL
);
CREATE TABLE membership (
    account_id TEXT NOT NULL REFERENCES account (id),
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    role TEXT NOT NULL,
    clients TEXT NOT NULL,
    teams TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (account_id, tenant_id)
);
CREATE INDEX membership_tenant ON membership (tenant_id);
CREATE TABLE passkey (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    credential TEXT NOT NULL,
    created_at TEXT NOT NULL,
    used_at TEXT NOT NULL
);
CREATE INDEX passkey_account ON passkey (account_id);
CREATE TABLE recovery_code (
    account_id TEXT NOT NULL REFERENCES account (id),
    hash TEXT NOT NULL,
    PRIMARY KEY (account_id, hash)
);
CREATE TABLE session (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES account (id),
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    confirmed_at TEXT NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE TABLE access_link (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL,
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    email_hash TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    clients TEXT NOT NULL,
    teams TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES account (id),
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    actions TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT NOT NULL,
    used_from TEXT NOT NULL
);
CREATE INDEX api_key_account ON api_key (account_id);
CREATE TABLE sign_in_failure (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at TEXT NOT NULL,
    until_at TEXT NOT NULL
);
CREATE TABLE spent_token (
    hash TEXT PRIMARY KEY,
    expires_at TEXT NOT NULL
);
