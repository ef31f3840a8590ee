-- The outbox of the search index says since when a change has been waiting, and
-- why the engine will not take it, should that be so; leases say which node does
-- what only one may do.
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
