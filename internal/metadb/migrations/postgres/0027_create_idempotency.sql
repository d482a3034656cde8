-- +goose Up
CREATE TABLE idempotency (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    runner TEXT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT NOT NULL,
    media TEXT NOT NULL,
    body TEXT NOT NULL,
    held_until TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
