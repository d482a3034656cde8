-- +goose Up
CREATE TABLE import (
    id BIGINT PRIMARY KEY,
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    dataset TEXT NOT NULL,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    status TEXT NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_added BIGINT NOT NULL,
    rows_updated BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_deleted BIGINT NOT NULL,
    summary TEXT NOT NULL
);
CREATE INDEX import_tenant ON import (tenant_id, id);
CREATE TABLE import_reject (
    import_id BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    record BIGINT NOT NULL,
    line BIGINT NOT NULL,
    column_name TEXT NOT NULL,
    value TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    suggestion TEXT NOT NULL,
    source_row TEXT NOT NULL,
    PRIMARY KEY (import_id, ordinal)
);
