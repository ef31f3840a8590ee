-- Who let whom in. standing is 0 for a request, which waits for the member to accept it,
-- 1 for a member whom somebody they know put in, 2 for one who made, joined, accepted or
-- used the chat. Those of before have all accepted. hidden_no is the last message that
-- does not bring a hidden chat back, -1 where it is not hidden. barred is about a direct
-- chat: 1 if the other member has blocked this one, 2 if this one has blocked the other.
-- +goose Up
ALTER TABLE chat_members ADD COLUMN standing INTEGER NOT NULL DEFAULT 2;
ALTER TABLE chat_members ADD COLUMN hidden_no BIGINT NOT NULL DEFAULT -1;
ALTER TABLE chat_members ADD COLUMN barred INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idx_chat_members_unused ON chat_members (user_id, standing, joined_at, chat_id) WHERE standing < 2;

CREATE TABLE blocks (
    user_id    TEXT   NOT NULL REFERENCES users (id),
    blocked_id TEXT   NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
);

-- What an administrator deleted, until its rows are gone. deleted_seq is the seq at
-- which everybody lost the chat; farewells are former members who are still to be told.
ALTER TABLE chats ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN deleted_seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX idx_chats_deleted ON chats (id) WHERE deleted_at > 0;

CREATE TABLE farewells (
    chat_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (chat_id, user_id)
);

-- +goose Down
DROP TABLE farewells;
DROP INDEX idx_chats_deleted;
ALTER TABLE chats DROP COLUMN deleted_seq;
ALTER TABLE chats DROP COLUMN deleted_at;
DROP TABLE blocks;
DROP INDEX idx_chat_members_unused;
ALTER TABLE chat_members DROP COLUMN barred;
ALTER TABLE chat_members DROP COLUMN hidden_no;
ALTER TABLE chat_members DROP COLUMN standing;
