-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE hooks ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN chat_id TYPE TEXT COLLATE "C",
    ALTER COLUMN bot_id TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
