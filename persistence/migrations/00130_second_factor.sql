-- How people prove who they are beyond a password. Secrets are sealed (see chat/seal.go),
-- codes, challenges and marks are hashes. method is how a session was opened.
-- +goose Up
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';

-- secret is in force, pending waits for its first code; either may be ''. last_step is the
-- time step of the last code that was accepted: none counts twice.
CREATE TABLE totp (
    user_id    TEXT   PRIMARY KEY REFERENCES users (id),
    secret     TEXT   NOT NULL,
    last_step  BIGINT NOT NULL,
    pending    TEXT   NOT NULL,
    pending_at BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    hash    TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- Log-ins whose password was right, and whose second step is due. password names the one
-- that was right: another one ends the challenge.
CREATE TABLE challenges (
    hash       TEXT    PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    password   TEXT    NOT NULL,
    failures   INTEGER NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX idx_challenges_expires ON challenges (expires_at);

-- What counts once, until it would not count anyway.
CREATE TABLE spent (
    mark       TEXT   PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX idx_spent_expires ON spent (expires_at);

-- +goose Down
DROP TABLE spent;
DROP TABLE challenges;
DROP TABLE recovery_codes;
DROP TABLE totp;
ALTER TABLE sessions DROP COLUMN method;
