-- What the search index was given, in order: a row lists the messages of one batch, and
-- last counts those of all batches so far. A node whose index missed some goes on from the
-- row that its index has seen last. The first row stands for the beginning.
-- +goose Up
CREATE TABLE index_log (
    last     BIGINT PRIMARY KEY,
    id       TEXT   NOT NULL,
    messages TEXT   NOT NULL
);
INSERT INTO index_log (last, id, messages) VALUES (0, '', '[]');

-- +goose Down
DROP TABLE index_log;
