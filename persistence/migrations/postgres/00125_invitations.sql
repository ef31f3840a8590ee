-- Compare the ids of the migrations before by their bytes, as SQLite does.
-- +goose Up
ALTER TABLE codes ALTER COLUMN hash TYPE TEXT COLLATE "C", ALTER COLUMN subject TYPE TEXT COLLATE "C";
ALTER TABLE letters ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN cause TYPE TEXT COLLATE "C";
ALTER TABLE invitations ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN created_by TYPE TEXT COLLATE "C";

-- +goose Down
SELECT 1;
