-- +goose Up
CREATE TABLE metric_setting (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, name)
);
