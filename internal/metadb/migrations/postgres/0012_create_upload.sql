-- +goose Up
CREATE TABLE upload (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    received BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL,
    touched_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    kept BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE batch (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    request TEXT NOT NULL,
    progress TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    lease TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX batch_created ON batch (tenant_id, created_at);
CREATE INDEX batch_status ON batch (status);
