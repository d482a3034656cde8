-- +goose Up
-- A tenant that takes part in the comparison of peers. touched only makes transactions wait.
CREATE TABLE peer (
    tenant_id BIGINT PRIMARY KEY REFERENCES tenant (id),
    joined_at TEXT NOT NULL,
    author TEXT NOT NULL,
    touched BIGINT NOT NULL
);
-- What was drawn for a tenant of the figures of others, and what of the budget it took.
-- content is '' once one of those others has left; the row stays, what is spent is spent.
CREATE TABLE peer_release (
    id TEXT PRIMARY KEY,
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    measure TEXT NOT NULL,
    quarter TEXT NOT NULL,
    source TEXT NOT NULL,
    epsilon_milli BIGINT NOT NULL,
    content TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX peer_release_of ON peer_release (tenant_id, measure, created_at);
CREATE TABLE peer_release_member (
    release_id TEXT NOT NULL REFERENCES peer_release (id),
    tenant_id BIGINT NOT NULL REFERENCES tenant (id),
    PRIMARY KEY (release_id, tenant_id)
);
CREATE INDEX peer_release_member_of ON peer_release_member (tenant_id);
