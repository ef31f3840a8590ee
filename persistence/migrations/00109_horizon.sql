-- The number of the transaction that stored an event. PostgreSQL numbers transactions
-- itself (see the next migration), and transactions counts those of the servers before
-- this one; on SQLite it counts all that have stored events. Events from before have 0,
-- which every reader has seen.
-- +goose Up
ALTER TABLE events ADD COLUMN tx BIGINT NOT NULL DEFAULT 0;
INSERT INTO meta (name, value) VALUES ('transactions', '0');

-- +goose Down
DELETE FROM meta WHERE name = 'transactions';
ALTER TABLE events DROP COLUMN tx;
