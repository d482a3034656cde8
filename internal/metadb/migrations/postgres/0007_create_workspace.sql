-- +goose Up
CREATE TABLE workspace_item (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    digest TEXT,
    revision BIGINT NOT NULL,
    last_revision BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, digest)
);
CREATE INDEX workspace_item_kind ON workspace_item (tenant_id, kind, updated_at);
CREATE TABLE workspace_revision (
    tenant_id BIGINT NOT NULL,
    item_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, item_id, revision),
    FOREIGN KEY (tenant_id, item_id) REFERENCES workspace_item (tenant_id, id) ON DELETE CASCADE
);
CREATE TABLE workspace_feedback (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id BIGINT NOT NULL,
    at TEXT NOT NULL,
    score BIGINT,
    comment TEXT NOT NULL,
    page TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE workspace_usage (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    day TEXT NOT NULL,
    feature TEXT NOT NULL,
    actor TEXT NOT NULL,
    uses BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, feature, actor)
);
CREATE TABLE workspace_settings (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    locale TEXT NOT NULL,
    theme TEXT NOT NULL,
    density TEXT NOT NULL
);
