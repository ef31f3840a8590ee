-- What a node keeps of the certificates that it gets by itself: keys, chains, the account
-- at the authority and challenges under way, by name as in folders. Values are in base64.
-- Nodes that share the database share them; their locks are leases.
-- +goose Up
CREATE TABLE certificates (
    name       TEXT   PRIMARY KEY,
    value      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE certificates;
