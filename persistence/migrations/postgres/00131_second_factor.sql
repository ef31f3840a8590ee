-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE totp ALTER COLUMN user_id TYPE TEXT COLLATE "C";
ALTER TABLE recovery_codes ALTER COLUMN user_id TYPE TEXT COLLATE "C", ALTER COLUMN hash TYPE TEXT COLLATE "C";
ALTER TABLE challenges ALTER COLUMN hash TYPE TEXT COLLATE "C", ALTER COLUMN user_id TYPE TEXT COLLATE "C";
ALTER TABLE spent ALTER COLUMN mark TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
