-- Who may come in. uses counts those who came by an invitation; chat_ids is a JSON array of
-- the chats that they are members of from the start. The code is in codes.
-- +goose Up
CREATE TABLE invitations (
    id         TEXT    PRIMARY KEY,
    created_by TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    uses       INTEGER NOT NULL DEFAULT 0,
    max_uses   INTEGER NOT NULL,
    chat_ids   TEXT    NOT NULL,
    email      TEXT    NOT NULL
);
CREATE INDEX idx_invitations_by ON invitations (created_by, created_at, id);
CREATE INDEX idx_invitations_at ON invitations (created_at, id);

-- +goose Down
DROP TABLE invitations;
