-- Finding people by the name that others see: name_folded is derived from display_name,
-- as search is (see refold).
-- +goose Up
ALTER TABLE users ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
CREATE INDEX idx_users_name_folded ON users (name_folded);

-- +goose Down
DROP INDEX idx_users_name_folded;
ALTER TABLE users DROP COLUMN name_folded;
