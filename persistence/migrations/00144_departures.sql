-- Who has deleted their account: the row stays, as what they have written does, and nobody gets
-- their username. deleted_at is 0 for everybody else.
-- +goose Up
ALTER TABLE users ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE users DROP COLUMN deleted_at;
