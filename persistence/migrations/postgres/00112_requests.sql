-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE blocks ALTER COLUMN user_id TYPE TEXT COLLATE "C", ALTER COLUMN blocked_id TYPE TEXT COLLATE "C";
ALTER TABLE farewells ALTER COLUMN chat_id TYPE TEXT COLLATE "C", ALTER COLUMN user_id TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
