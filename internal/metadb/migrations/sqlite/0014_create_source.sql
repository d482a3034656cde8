-- +goose Up
CREATE TABLE source (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    sealed TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    status TEXT NOT NULL,
    problem TEXT NOT NULL,
    failures BIGINT NOT NULL,
    due_at TEXT NOT NULL,
    ran_at TEXT NOT NULL,
    lease TEXT NOT NULL,
    created_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX source_name ON source (tenant_id, name);
CREATE TABLE source_file (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    path TEXT NOT NULL,
    mark TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    problem TEXT NOT NULL,
    mapping TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    settled BIGINT NOT NULL,
    moved_to TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    done_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX source_file_seen ON source_file (tenant_id, source_id, path, mark);
CREATE INDEX source_file_content ON source_file (tenant_id, source_id, sha256);
CREATE TABLE notice (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at TEXT NOT NULL,
    read_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX notice_created ON notice (tenant_id, created_at);
