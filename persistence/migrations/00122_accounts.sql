-- Addresses of users: address_key is the form by which one is found, and a verified one is
-- of one user alone; email_language is that of the letters to it. codes are links that somebody was given, by their hash. letters
-- remembers for a day what was sent to whom, which keeps mailboxes from being bombed.
-- +goose Up
ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN email_language TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX idx_users_email ON users (email_key) WHERE email_verified = 1;

CREATE TABLE codes (
    hash       TEXT   PRIMARY KEY,
    purpose    TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX idx_codes_subject ON codes (purpose, subject);
CREATE INDEX idx_codes_expires ON codes (expires_at);

CREATE TABLE letters (
    id          TEXT   PRIMARY KEY,
    purpose     TEXT   NOT NULL,
    cause       TEXT   NOT NULL,
    address_key TEXT   NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX idx_letters_cause ON letters (purpose, cause, at);
CREATE INDEX idx_letters_address ON letters (purpose, address_key, at);
CREATE INDEX idx_letters_at ON letters (at);

-- +goose Down
DROP TABLE letters;
DROP TABLE codes;
DROP INDEX idx_users_email;
ALTER TABLE users DROP COLUMN email_language;
ALTER TABLE users DROP COLUMN email_verified;
ALTER TABLE users DROP COLUMN email_key;
ALTER TABLE users DROP COLUMN email;
