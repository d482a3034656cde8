-- +goose Up
CREATE TABLE closed_month (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    month TEXT NOT NULL,
    closed_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, month)
);
