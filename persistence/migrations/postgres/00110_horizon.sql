-- A default costs a send nothing, and nodes that do not know the column have it too.
-- +goose Up
ALTER TABLE events ALTER COLUMN tx SET DEFAULT txid_current();

-- +goose Down
ALTER TABLE events ALTER COLUMN tx SET DEFAULT 0;
