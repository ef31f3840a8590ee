-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE passkeys ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN user_id TYPE TEXT COLLATE "C",
    ALTER COLUMN credential TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
