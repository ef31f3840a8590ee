-- Rows in the outbox of the search index get the time since when they have been
-- waiting, and the reason why the engine refused them, if it did. Leases determine
-- which node does what only one node may do.
-- +goose Up
ALTER TABLE index_outbox ADD COLUMN queued_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE index_outbox ADD COLUMN refused TEXT NOT NULL DEFAULT '';

CREATE TABLE leases (
    name       TEXT   PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE leases;
ALTER TABLE index_outbox DROP COLUMN refused;
ALTER TABLE index_outbox DROP COLUMN queued_at;
