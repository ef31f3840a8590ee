-- What names look like, to find names that are made to be taken for others: derived from
-- username and display_name, as name_folded is (see refold). The row in meta is the lock
-- under which names are taken.
-- +goose Up
ALTER TABLE users ADD COLUMN username_look TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN name_look TEXT NOT NULL DEFAULT '';
CREATE INDEX idx_users_username_look ON users (username_look);
CREATE INDEX idx_users_name_look ON users (name_look);
INSERT INTO meta (name, value) VALUES ('names', '');

-- +goose Down
DELETE FROM meta WHERE name = 'names';
DROP INDEX idx_users_name_look;
DROP INDEX idx_users_username_look;
ALTER TABLE users DROP COLUMN name_look;
ALTER TABLE users DROP COLUMN username_look;
