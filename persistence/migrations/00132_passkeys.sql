-- Passkeys: public keys of WebAuthn, found by the credential that an authenticator names.
-- data is what package signin knows of one; counter is the last one that was seen.
-- +goose Up
CREATE TABLE passkeys (
    id           TEXT   PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id),
    name         TEXT   NOT NULL,
    credential   TEXT   NOT NULL,
    data         TEXT   NOT NULL,
    counter      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX idx_passkeys_credential ON passkeys (credential);
CREATE INDEX idx_passkeys_user ON passkeys (user_id, id);

-- +goose Down
DROP TABLE passkeys;
