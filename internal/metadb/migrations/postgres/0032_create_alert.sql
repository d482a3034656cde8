-- +goose Up
CREATE TABLE alert_route (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    touched BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX alert_route_name ON alert_route (tenant_id, name);
CREATE TABLE alert_due (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    route_id TEXT NOT NULL,
    hit_id TEXT NOT NULL,
    status TEXT NOT NULL,
    due_at TEXT NOT NULL,
    told_at TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, route_id, hit_id)
);
CREATE INDEX alert_due_status ON alert_due (tenant_id, status, due_at);
CREATE INDEX alert_due_hit ON alert_due (tenant_id, hit_id);
CREATE TABLE alert_ack (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    hit_id TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (tenant_id, hit_id)
);
CREATE TABLE alert_message (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    route_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    rights TEXT NOT NULL,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    urgent BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alert_message_created ON alert_message (tenant_id, created_at);
