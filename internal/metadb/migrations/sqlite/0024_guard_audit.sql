-- +goose Up
-- Entries of form 2 have a salted seal of their content in front of the hash, so that a
-- content can be removed by policy and the chain still verifies. removed_by is the entry
-- that says so, 0 while the content is there.
ALTER TABLE audit_event ADD COLUMN form BIGINT NOT NULL DEFAULT 1;
ALTER TABLE audit_event ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_event ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_event ADD COLUMN salt TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_event ADD COLUMN content TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_event ADD COLUMN removed_by BIGINT NOT NULL DEFAULT 0;
CREATE TABLE audit_key (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    public TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE audit_checkpoint (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at TEXT NOT NULL,
    public TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CREATE TABLE audit_retention (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    days BIGINT NOT NULL,
    read_days BIGINT NOT NULL
);
-- That somebody has read a class in an hour is recorded once.
CREATE TABLE audit_read (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    actor TEXT NOT NULL,
    class TEXT NOT NULL,
    hour TEXT NOT NULL,
    PRIMARY KEY (tenant_id, actor, class, hour)
);
-- The record only grows. INSERT OR REPLACE would delete without a delete trigger.
-- +goose StatementBegin
CREATE TRIGGER audit_event_insert BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event e WHERE e.tenant_id = NEW.tenant_id AND e.seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only: the entry is there');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_event_delete BEFORE DELETE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only: no entry is deleted');
END;
-- +goose StatementEnd
-- Only the content of an entry may go, all of it, once, with an entry that says so.
-- +goose StatementBegin
CREATE TRIGGER audit_event_update BEFORE UPDATE ON audit_event
WHEN NOT (OLD.form = 2 AND NEW.form = 2 AND OLD.removed_by = 0
    AND NEW.tenant_id = OLD.tenant_id AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.prev_hash = OLD.prev_hash AND NEW.hash = OLD.hash
    AND NEW.actor = '' AND NEW.action = '' AND NEW.subject_kind = '' AND NEW.subject_id = '' AND NEW.snapshot = 0
    AND NEW.detail = '' AND NEW.source = '' AND NEW.reason = '' AND NEW.salt = '' AND length(NEW.content) = 64
    AND EXISTS (SELECT 1 FROM audit_event r WHERE r.tenant_id = NEW.tenant_id AND r.seq = NEW.removed_by AND r.action = 'audit.retain'))
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only: no entry is changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only: its head stays');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head
WHEN NOT (NEW.tenant_id = OLD.tenant_id AND NEW.seq IN (OLD.seq, OLD.seq + 1))
BEGIN
    SELECT RAISE(ABORT, 'the audit record is append-only: its head moves on by one');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_insert BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint c WHERE c.tenant_id = NEW.tenant_id AND c.seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'the checkpoint is there');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_delete BEFORE DELETE ON audit_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'checkpoints stay');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_update BEFORE UPDATE ON audit_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'checkpoints stay as they are');
END;
-- +goose StatementEnd
