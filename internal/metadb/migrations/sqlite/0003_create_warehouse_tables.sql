-- +goose Up
-- pending_file: files being written, safe from the sweep until their lease is over.
CREATE TABLE pending_file (
    path TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    lease_until TEXT NOT NULL,
    created_at TEXT NOT NULL
);
-- data_file_extra: what the DuckLake catalog has no place for.
CREATE TABLE data_file_extra (
    data_file_id BIGINT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    first_day TEXT,
    last_day TEXT
);
-- tenant_snapshot: which snapshots of the catalog touched which tenant, for people.
CREATE TABLE tenant_snapshot (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    snapshot_id BIGINT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (tenant_id, snapshot_id)
);
