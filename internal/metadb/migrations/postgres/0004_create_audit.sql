-- +goose Up
CREATE TABLE audit_event (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CREATE TABLE audit_head (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
