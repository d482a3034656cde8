-- +goose Up
-- The keys that secrets and personal columns are sealed under, each wrapped by a master key
-- that lies outside. state is primary (seals), open (only opens) or retired (wrapped is '').
CREATE TABLE secret_key (
    id TEXT PRIMARY KEY,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    resealed_at TEXT NOT NULL,
    retired_at TEXT NOT NULL
);
CREATE UNIQUE INDEX secret_key_primary ON secret_key (state) WHERE state = 'primary';
