-- The first schema. Versions are release * 100 + number: see migrate.go.
-- Times are milliseconds since 1970; flags are 0 or 1; hashes are hexadecimal.
-- +goose Up

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row for each chat, user and node: the lock of its sequence, and everything
-- that a send rewrites.
CREATE TABLE streams (
    id       TEXT   PRIMARY KEY,
    last_seq BIGINT NOT NULL DEFAULT 0,
    last_no  BIGINT NOT NULL DEFAULT 0,
    last_ts  BIGINT NOT NULL DEFAULT 0,
    members  BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE users (
    id            TEXT   PRIMARY KEY,
    username      TEXT   NOT NULL,
    display_name  TEXT   NOT NULL,
    status_text   TEXT   NOT NULL DEFAULT '',
    search        TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX idx_users_username ON users (username);

CREATE TABLE sessions (
    id           TEXT   PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id),
    device       TEXT   NOT NULL,
    token_hash   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX idx_sessions_token ON sessions (token_hash);
CREATE INDEX idx_sessions_user ON sessions (user_id, last_used_at);
CREATE INDEX idx_sessions_expires ON sessions (expires_at);

CREATE TABLE chats (
    id                 TEXT    PRIMARY KEY,
    kind               TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    search             TEXT    NOT NULL,
    topic              TEXT    NOT NULL,
    created_by         TEXT    NOT NULL,
    created_at         BIGINT  NOT NULL,
    archived           INTEGER NOT NULL DEFAULT 0,
    direct_key         TEXT,
    create_key         TEXT,
    create_fingerprint TEXT
);
CREATE UNIQUE INDEX idx_chats_direct ON chats (direct_key);
CREATE UNIQUE INDEX idx_chats_idempotency ON chats (created_by, create_key);
CREATE INDEX idx_chats_public ON chats (search, id) WHERE kind = 'public';

CREATE TABLE chat_members (
    user_id       TEXT    NOT NULL REFERENCES users (id),
    chat_id       TEXT    NOT NULL REFERENCES chats (id),
    role          TEXT    NOT NULL,
    joined_at     BIGINT  NOT NULL,
    added_seq     BIGINT  NOT NULL,
    muted         INTEGER NOT NULL DEFAULT 0,
    read_seq      BIGINT  NOT NULL DEFAULT 0,
    read_no       BIGINT  NOT NULL DEFAULT 0,
    delivered_seq BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, chat_id)
);
CREATE UNIQUE INDEX idx_chat_members_chat_user ON chat_members (chat_id, user_id);

-- The tables that a send fills have no foreign keys: each would cost another read
-- per message, and on PostgreSQL another row lock. Nothing above is ever deleted.
CREATE TABLE messages (
    chat_id      TEXT    NOT NULL,
    seq          BIGINT  NOT NULL,
    no           BIGINT  NOT NULL,
    id           TEXT    NOT NULL,
    sender_id    TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    reply_to     TEXT    NOT NULL,
    mentions     TEXT    NOT NULL,
    mentions_all INTEGER NOT NULL,
    version      BIGINT  NOT NULL,
    changed_seq  BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    edited_at    BIGINT,
    deleted_at   BIGINT,
    PRIMARY KEY (chat_id, seq)
);
CREATE UNIQUE INDEX idx_messages_id ON messages (id);
-- The key comes first: keys that begin with the time go to the end of the index, to
-- a page or two for a whole group of sends instead of a page for each sender.
CREATE UNIQUE INDEX idx_messages_idempotency ON messages (key, sender_id, chat_id);
CREATE INDEX idx_messages_chat_created ON messages (chat_id, created_at DESC);
CREATE INDEX idx_messages_all ON messages (chat_id, seq) WHERE mentions_all = 1;

-- Mentions by name. A message that mentions all has no rows here.
CREATE TABLE mentions (
    user_id TEXT   NOT NULL,
    chat_id TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (user_id, chat_id, seq)
);
CREATE INDEX idx_mentions_message ON mentions (chat_id, seq);

CREATE TABLE reactions (
    message_id TEXT   NOT NULL,
    emoji      TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
);

-- Everything that happened, except what people wrote: that is read from the message
-- as it is now.
CREATE TABLE events (
    stream_id   TEXT    NOT NULL,
    seq         BIGINT  NOT NULL,
    op          TEXT    NOT NULL,
    ts          BIGINT  NOT NULL,
    actor_id    TEXT    NOT NULL,
    personal    INTEGER NOT NULL,
    subject     TEXT    NOT NULL,
    message_id  TEXT    NOT NULL,
    message_seq BIGINT  NOT NULL,
    op_id       TEXT    NOT NULL,
    d           TEXT    NOT NULL,
    PRIMARY KEY (stream_id, seq)
);

CREATE TABLE index_outbox (
    message_id TEXT   PRIMARY KEY,
    version    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE index_outbox;
DROP TABLE events;
DROP TABLE reactions;
DROP TABLE mentions;
DROP TABLE messages;
DROP TABLE chat_members;
DROP TABLE chats;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE streams;
DROP TABLE meta;
