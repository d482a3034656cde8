-- +goose Up
CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE control (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE id_counter (
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);
