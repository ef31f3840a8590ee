-- Programs. bot_by is who made a bot, '' for people. A key is found by the hash of its
-- token; scopes are their names with spaces; expires_at is 0 for one that never does. externals
-- are the users of applications, by the application's own id (issuer '') or by the subject of
-- the tokens of an issuer; tokens that were issued before tokens_after have been ended.
-- +goose Up
ALTER TABLE users ADD COLUMN bot_by TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN tokens_after BIGINT NOT NULL DEFAULT 0;
CREATE INDEX idx_users_bots ON users (username) WHERE bot_by <> '';

CREATE TABLE bot_keys (
    id           TEXT   PRIMARY KEY,
    bot_id       TEXT   NOT NULL REFERENCES users (id),
    name         TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    token_hash   TEXT   NOT NULL UNIQUE,
    created_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0,
    expires_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX idx_bot_keys_bot ON bot_keys (bot_id, created_at, id);

CREATE TABLE externals (
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    user_id    TEXT   NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX idx_externals_user ON externals (user_id);

-- +goose Down
DROP TABLE externals;
DROP TABLE bot_keys;
DROP INDEX idx_users_bots;
ALTER TABLE users DROP COLUMN tokens_after;
ALTER TABLE users DROP COLUMN bot_by;
