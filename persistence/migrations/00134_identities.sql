-- Whom identity providers know: (issuer, subject) is one user, whatever else the provider
-- says. appointed is 1 where its groups made the user an administrator. A session remembers
-- by whom and under which session of the provider it was opened, so that the provider can
-- end it.
-- +goose Up
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    appointed  INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX idx_identities_user ON identities (user_id);

ALTER TABLE sessions ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN provider_session TEXT NOT NULL DEFAULT '';
CREATE INDEX idx_sessions_subject ON sessions (issuer, subject) WHERE issuer <> '';
CREATE INDEX idx_sessions_provider ON sessions (issuer, provider_session) WHERE provider_session <> '';

-- +goose Down
DROP INDEX idx_sessions_provider;
DROP INDEX idx_sessions_subject;
ALTER TABLE sessions DROP COLUMN provider_session;
ALTER TABLE sessions DROP COLUMN subject;
ALTER TABLE sessions DROP COLUMN issuer;
DROP TABLE identities;
