-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE identities ALTER COLUMN issuer TYPE TEXT COLLATE "C", ALTER COLUMN subject TYPE TEXT COLLATE "C",
    ALTER COLUMN user_id TYPE TEXT COLLATE "C";
ALTER TABLE sessions ALTER COLUMN issuer TYPE TEXT COLLATE "C", ALTER COLUMN subject TYPE TEXT COLLATE "C",
    ALTER COLUMN provider_session TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
