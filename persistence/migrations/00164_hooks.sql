-- Addresses by which programs post into chats, each as a bot of its own. Of the secret in the
-- address only the hash is kept.
-- +goose Up
CREATE TABLE hooks (
    id           TEXT   PRIMARY KEY,
    chat_id      TEXT   NOT NULL,
    bot_id       TEXT   NOT NULL REFERENCES users (id),
    name         TEXT   NOT NULL,
    secret_hash  TEXT   NOT NULL,
    created_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX idx_hooks_chat ON hooks (chat_id, created_at, id);
CREATE INDEX idx_hooks_bot ON hooks (bot_id);

-- +goose Down
DROP TABLE hooks;
