-- What administrators change about users and the retention of chats, and its log.
-- suspended_at is 0 for users who are not suspended; retention_days is 0 where
-- messages stay; all messages of a chat before expired_before are deleted.
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

-- The lock of administrators, and whether the first one has been appointed. Where
-- there are users already, an upgrade appoints none of them.
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
