-- +goose Up
-- report_input: what reports were made from, by the hash of it.
CREATE TABLE report_input (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);
-- report: files that were made or are being made. state: waiting, running, done, failed,
-- canceled; removed_at: when the file went, the row stays as history.
CREATE TABLE report (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    template TEXT NOT NULL,
    title TEXT NOT NULL,
    format TEXT NOT NULL,
    client TEXT NOT NULL,
    period_from TEXT NOT NULL,
    period_to TEXT NOT NULL,
    as_of TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    audit_seq BIGINT NOT NULL,
    definitions BIGINT NOT NULL,
    settings_hash TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    rights TEXT NOT NULL,
    state TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    doing TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    problem TEXT NOT NULL,
    notes TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    removed_at TEXT NOT NULL,
    schedule TEXT NOT NULL,
    product TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX report_made ON report (tenant_id, made_at, id);
-- report_receipt: who got a file, how and when. delivery: what sends it, '' for a download.
CREATE TABLE report_receipt (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    report TEXT NOT NULL,
    receiver TEXT NOT NULL,
    channel TEXT NOT NULL,
    at TEXT NOT NULL,
    delivery TEXT NOT NULL
);
CREATE INDEX report_receipt_report ON report_receipt (tenant_id, report);
-- report_schedule: reports that are made by themselves. body is what the schedule says.
CREATE TABLE report_schedule (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    paused BIGINT NOT NULL,
    next_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    last_problem TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX report_schedule_next ON report_schedule (next_at);
