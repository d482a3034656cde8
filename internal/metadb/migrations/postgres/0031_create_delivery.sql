-- +goose Up
CREATE TABLE destination (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    config TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX destination_name ON destination (tenant_id, name);
CREATE TABLE delivery (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    once TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    label TEXT NOT NULL,
    recipient TEXT NOT NULL,
    address TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    problem TEXT NOT NULL,
    lease TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    place TEXT NOT NULL,
    created_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    done_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX delivery_once ON delivery (tenant_id, once);
CREATE INDEX delivery_created ON delivery (tenant_id, created_at);
CREATE INDEX delivery_status ON delivery (tenant_id, status, due_at);
CREATE TABLE push_key (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    public TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE push_subscription (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    actor TEXT NOT NULL,
    device TEXT NOT NULL,
    digest TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at TEXT NOT NULL,
    used_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX push_subscription_digest ON push_subscription (tenant_id, digest);
CREATE INDEX push_subscription_actor ON push_subscription (tenant_id, actor);
