-- Files. state is 0 while the bytes are being stored, 1 when they are, 2 once they are to be
-- deleted; a file that no message has is deleted after expires_at, but not before
-- held_until, until when a message may be about to get it. The attachments of a message are
-- its files as JSON, '' for none, which never change. kind is image, video, audio or document.
-- +goose Up
CREATE TABLE files (
    id          TEXT   PRIMARY KEY,
    name        TEXT   NOT NULL,
    media_type  TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT   NOT NULL,
    width       BIGINT NOT NULL,
    height      BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    thumb       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    uploaded_by TEXT   NOT NULL REFERENCES users (id),
    state       BIGINT NOT NULL DEFAULT 0,
    expires_at  BIGINT NOT NULL,
    held_until  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX idx_files_uploader ON files (uploaded_by);
CREATE INDEX idx_files_expiry ON files (expires_at);

CREATE TABLE message_files (
    file_id    TEXT   NOT NULL,
    chat_id    TEXT   NOT NULL,
    message_id TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    PRIMARY KEY (message_id, file_id)
);
CREATE INDEX idx_message_files_file ON message_files (file_id, chat_id);
CREATE INDEX idx_message_files_chat ON message_files (chat_id, seq);

ALTER TABLE messages ADD COLUMN attachments TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN attachments;
DROP TABLE message_files;
DROP TABLE files;
