-- Compare the ids of the migration before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE users ALTER COLUMN bot_by TYPE TEXT COLLATE "C";
ALTER TABLE bot_keys ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN bot_id TYPE TEXT COLLATE "C",
    ALTER COLUMN token_hash TYPE TEXT COLLATE "C";
ALTER TABLE externals ALTER COLUMN issuer TYPE TEXT COLLATE "C", ALTER COLUMN subject TYPE TEXT COLLATE "C",
    ALTER COLUMN user_id TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
