-- +goose Up
-- definition: by which declaration a roll-up's file was computed; null for other files and
-- for those of versions before this one.
ALTER TABLE data_file_extra ADD COLUMN definition TEXT;
