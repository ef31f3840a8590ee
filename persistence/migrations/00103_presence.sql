-- The lasting part of a person's presence: their setting, and when they were last
-- active, 0 for never.
-- +goose Up
ALTER TABLE users ADD COLUMN presence TEXT NOT NULL DEFAULT 'online';
ALTER TABLE users ADD COLUMN last_active_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE users DROP COLUMN last_active_at;
ALTER TABLE users DROP COLUMN presence;
