-- +goose Up
CREATE TABLE definition_head (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    revision BIGINT NOT NULL
);
CREATE TABLE definition (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    is_current BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, name, version)
);
CREATE INDEX definition_current ON definition (tenant_id, is_current, kind, name);
CREATE TABLE rule_hit (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    rule TEXT NOT NULL,
    version BIGINT NOT NULL,
    subject TEXT NOT NULL,
    value TEXT NOT NULL,
    period_from TEXT NOT NULL,
    period_to TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX rule_hit_open ON rule_hit (tenant_id, rule, ended_at);
