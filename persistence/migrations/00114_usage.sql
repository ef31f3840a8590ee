-- How many bytes each user has stored on the last day on which they stored any; days
-- are counted from 1970 in UTC. Nodes add what they have counted every few seconds.
-- +goose Up
CREATE TABLE usage (
    user_id TEXT   PRIMARY KEY,
    day     BIGINT NOT NULL,
    bytes   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE usage;
