-- +goose Up
CREATE TABLE policy_head (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    current_version BIGINT NOT NULL,
    last_version BIGINT NOT NULL,
    view_key TEXT NOT NULL
);
CREATE TABLE policy_version (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    version BIGINT NOT NULL,
    base BIGINT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL,
    author TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decision_reason TEXT NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
CREATE INDEX policy_version_status ON policy_version (tenant_id, status, version);
