-- +goose Up
-- How long something of a dataset is kept. what is 'rows', 'private', 'uploads' or 'rejects';
-- dataset is '' for what belongs to no dataset.
CREATE TABLE retention_rule (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    dataset TEXT NOT NULL,
    what TEXT NOT NULL,
    months BIGINT NOT NULL,
    changed_at TEXT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (tenant_id, dataset, what)
);
-- What must not be deleted, why, and since when. Period ends are '' when open; the end is
-- the first day no longer held.
CREATE TABLE legal_hold (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    period_from TEXT NOT NULL,
    period_to TEXT NOT NULL,
    reason TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    author TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    ended_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
-- Requests of persons. terms are the person's names and addresses while an erasure is under
-- way, and '' afterwards; outcome says what was done, without them.
CREATE TABLE person_request (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,
    terms TEXT NOT NULL,
    state TEXT NOT NULL,
    received_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    proposal TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_at TEXT NOT NULL,
    author TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX person_request_created ON person_request (tenant_id, created_at);
-- Keyed hashes of the names and addresses of those who were erased.
CREATE TABLE suppressed_person (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    hash TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);
