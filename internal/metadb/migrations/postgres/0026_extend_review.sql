-- +goose Up
ALTER TABLE proposal ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN classes TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN money TEXT NOT NULL DEFAULT '0';
ALTER TABLE proposal ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN due TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN expires TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN four_eyes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE proposal ADD COLUMN escalated_at TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN ended_at TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN first_verdict TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN first_choice TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN first_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN first_at TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN first_by TEXT NOT NULL DEFAULT '';
CREATE INDEX proposal_subject ON proposal (tenant_id, kind, subject);
CREATE TABLE review_term (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    kind TEXT NOT NULL,
    due_days BIGINT NOT NULL,
    expire_days BIGINT NOT NULL,
    four_eyes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);
CREATE TABLE review_reset (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    topic TEXT NOT NULL,
    reset_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, topic)
);
CREATE TABLE review_comment (
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    label TEXT NOT NULL,
    link TEXT NOT NULL,
    text TEXT NOT NULL,
    salt TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    edited_at TEXT NOT NULL,
    deleted_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX review_comment_subject ON review_comment (tenant_id, kind, subject, created_at);
ALTER TABLE notice ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN needs TEXT NOT NULL DEFAULT '';
CREATE TABLE notice_read (
    tenant_id BIGINT NOT NULL,
    notice_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    read_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, notice_id, actor),
    FOREIGN KEY (tenant_id, notice_id) REFERENCES notice (tenant_id, id) ON DELETE CASCADE
);
