-- +goose Up
CREATE TABLE proposal (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    evidence TEXT NOT NULL,
    weight BIGINT NOT NULL,
    import_id BIGINT NOT NULL,
    snapshot BIGINT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    verdict TEXT NOT NULL,
    choice TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX proposal_open ON proposal (tenant_id, kind, subject) WHERE status = 'open';
CREATE INDEX proposal_status ON proposal (tenant_id, status, weight);
