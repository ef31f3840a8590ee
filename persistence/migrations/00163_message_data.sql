-- What programs put beside the body of a message: an object as JSON, '' for none.
-- +goose Up
ALTER TABLE messages ADD COLUMN data TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN data;
