package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fechatter/chat"
)

// CountJobs implements chat.JobStore.
func (s *Store) CountJobs(ctx context.Context) (counts []chat.JobCount, err error) {
	err = s.view(ctx, s.pools.read, "count jobs", func(c *conn) error {
		counts, err = collect(ctx, c, func(rows *sql.Rows, n *chat.JobCount) error {
			var late int64
			err := rows.Scan(&n.Kind, &n.Waiting, &n.Claimed, &n.Dead, &late)
			n.Late = time.Duration(max(late, 0)) * time.Millisecond
			return err
		}, `SELECT j.kind, count(CASE WHEN j.dead_at = 0 AND j.claimed_until = 0 THEN 1 END), count(CASE WHEN j.claimed_until > 0 THEN 1 END),
			count(CASE WHEN j.dead_at > 0 THEN 1 END),
			COALESCE(max(CASE WHEN j.dead_at = 0 AND j.claimed_until = 0 THEN clock.now - j.due_at END), 0)
			FROM jobs j CROSS JOIN (SELECT `+s.d.now+` AS now) AS clock GROUP BY j.kind ORDER BY j.kind`)
		return err
	})
	return counts, err
}

// DeadJobs implements chat.JobStore.
func (s *Store) DeadJobs(ctx context.Context, p chat.Page) (jobs []chat.DeadJob, next string, err error) {
	var at int64
	var kind, key string
	paged, err := decodeAfter("jobs", p.After, &at, &kind, &key)
	if err != nil {
		return nil, "", err
	}
	query, args := "SELECT kind, key, created_at, dead_at, attempts, problem FROM jobs WHERE dead_at > 0", []any{p.Limit + 1}
	if paged {
		query += " AND (dead_at < $2 OR dead_at = $2 AND (kind > $3 OR kind = $3 AND key > $4))"
		args = append(args, at, kind, key)
	}
	err = s.view(ctx, s.pools.read, "list dead jobs", func(c *conn) error {
		jobs, err = collect(ctx, c, func(rows *sql.Rows, j *chat.DeadJob) error {
			return rows.Scan(&j.Kind, &j.Key, &j.CreatedAt, &j.DeadAt, &j.Attempts, &j.Problem)
		}, query+" ORDER BY dead_at DESC, kind, key LIMIT $1", args...)
		return err
	})
	return pageOf("jobs", jobs, err, p.Limit, func(j chat.DeadJob) []any { return []any{int64(j.DeadAt), string(j.Kind), j.Key} })
}

// ReviveJob implements chat.JobTx.
func (t *adminTx) ReviveJob(ctx context.Context, kind chat.JobKind, key string) error {
	n, err := t.c.exec(ctx, "UPDATE jobs SET dead_at = 0, attempts = 0, created_at = $3, due_at = $3 WHERE kind = $1 AND key = $2 AND dead_at > 0",
		string(kind), key, int64(t.now))
	t.c.woken = append(t.c.woken, kind)
	return oneRow(n, err, noDeadJob())
}

// DropJob implements chat.JobTx.
func (t *adminTx) DropJob(ctx context.Context, kind chat.JobKind, key string) error {
	n, err := t.c.exec(ctx, "DELETE FROM jobs WHERE kind = $1 AND key = $2 AND dead_at > 0", string(kind), key)
	return oneRow(n, err, noDeadJob())
}

func noDeadJob() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such dead job") }

// trimJobs deletes jobs that have been dead for long.
func (s *Store) trimJobs(ctx context.Context, now chat.Time) error {
	return s.update(ctx, "trim jobs", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "DELETE FROM jobs WHERE dead_at > 0 AND dead_at < $1", int64(now.Add(-keepDead)))
		if err != nil {
			return nil, fmt.Errorf("delete dead jobs: %w", err)
		}
		return nil, nil
	})
}
