-- What beside its text a status has, and where a user's clock is. status_until is 0 for a status
-- that stays, time_zone empty for a user who has not told it.
-- +goose Up
ALTER TABLE users ADD COLUMN status_emoji TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN status_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE users DROP COLUMN time_zone;
ALTER TABLE users DROP COLUMN status_until;
ALTER TABLE users DROP COLUMN status_emoji;
