-- +goose Up
CREATE TABLE mapping (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    source_system TEXT NOT NULL,
    dataset TEXT NOT NULL,
    headers TEXT NOT NULL,
    mapping TEXT NOT NULL,
    import_id BIGINT NOT NULL,
    saved_at TEXT NOT NULL,
    saved_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
