-- Compare kinds and keys by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE jobs ALTER COLUMN kind TYPE TEXT COLLATE "C", ALTER COLUMN key TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
