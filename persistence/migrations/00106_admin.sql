-- What administrators do: to users, to the retention of chats, and the log of it.
-- suspended_at is 0 for who is not; retention_days 0 for messages that stay;
-- expired_before is the time before which a chat's messages are all deleted.
-- +goose Up
ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN suspended_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN expired_before BIGINT NOT NULL DEFAULT 0;
CREATE INDEX idx_users_administrators ON users (id) WHERE administrator = 1;
CREATE INDEX idx_chats_retention ON chats (id) WHERE retention_days > 0;

CREATE TABLE audit_log (
    id      TEXT   PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT   NOT NULL
);
CREATE INDEX idx_audit_log_at ON audit_log (at, id);

-- The lock of administrators, and whether the first of them was appointed. Where
-- there are users already, none of them becomes one by an upgrade.
INSERT INTO meta (name, value)
SELECT 'administration', CASE WHEN EXISTS (SELECT 1 FROM users) THEN 'begun' ELSE '' END;
-- When the next sweep of expired messages is due.
INSERT INTO meta (name, value) VALUES ('retention_due', '0000000000000');

-- +goose Down
DELETE FROM meta WHERE name IN ('administration', 'retention_due');
DROP TABLE audit_log;
DROP INDEX idx_chats_retention;
DROP INDEX idx_users_administrators;
ALTER TABLE chats DROP COLUMN expired_before;
ALTER TABLE chats DROP COLUMN retention_days;
ALTER TABLE users DROP COLUMN suspended_at;
ALTER TABLE users DROP COLUMN administrator;
