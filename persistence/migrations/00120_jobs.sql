-- Work that must happen although nodes die. claimed_until is 0 unless a node is at it, and
-- claim names the one that is. A job that was put again meanwhile has another version, or
-- again if it stays as it is and must only run once more. dead_at is 0 unless nobody tries
-- any more.
-- +goose Up
CREATE TABLE jobs (
    kind          TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    payload       TEXT    NOT NULL,
    version       BIGINT  NOT NULL DEFAULT 1,
    again         INTEGER NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL,
    due_at        BIGINT  NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    claim         TEXT    NOT NULL DEFAULT '',
    claimed_until BIGINT  NOT NULL DEFAULT 0,
    problem       TEXT    NOT NULL DEFAULT '',
    dead_at       BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, key)
);
CREATE INDEX idx_jobs_due ON jobs (kind, due_at, key) WHERE dead_at = 0 AND claimed_until = 0;
CREATE INDEX idx_jobs_claimed ON jobs (kind, claimed_until) WHERE claimed_until > 0;
CREATE INDEX idx_jobs_dead ON jobs (dead_at, kind, key) WHERE dead_at > 0;

-- +goose Down
DROP TABLE jobs;
