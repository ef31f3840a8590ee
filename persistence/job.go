package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fechatter/chat"
)

// keepDead is for how long dead jobs can be seen.
const keepDead = 30 * 24 * time.Hour

// PutJobs adds jobs in a transaction of their own.
func (s *Store) PutJobs(ctx context.Context, jobs ...chat.Job) error {
	return s.update(ctx, "put jobs", func(c *conn) ([]chat.Event, error) {
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		return nil, s.putJobs(ctx, c, now, jobs...)
	})
}

// putJobs adds jobs in the transaction that causes them. Whoever watches learns of them
// after its commit.
func (s *Store) putJobs(ctx context.Context, c *conn, now chat.Time, jobs ...chat.Job) error {
	for _, j := range jobs {
		again := `UPDATE SET payload = excluded.payload, created_at = excluded.created_at, due_at = excluded.due_at, version = jobs.version + 1,
			attempts = 0, dead_at = 0, problem = ''`
		if j.Keep {
			again = "UPDATE SET again = 1 WHERE jobs.claimed_until > 0"
		}
		_, err := c.exec(ctx, `INSERT INTO jobs (kind, key, payload, created_at, due_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (kind, key) DO `+again, string(j.Kind), j.Key, string(j.Payload), int64(now), int64(max(j.DueAt, now)))
		if err != nil {
			return fmt.Errorf("put job %s: %w", j.Kind, err)
		}
		c.woken = append(c.woken, j.Kind)
	}
	return nil
}

// ObserveJobs has put called after every commit that added jobs, with their kinds. It must
// be called before the store is used; put must not block.
func (s *Store) ObserveJobs(put func(kinds []chat.JobKind)) { s.jobsPut = put }

// NextJob returns in how long the next job of a kind is due, or claimable again; known is
// false if there is none.
func (s *Store) NextJob(ctx context.Context, kind chat.JobKind) (in time.Duration, known bool, err error) {
	var now, due, free sql.NullInt64
	err = s.view(ctx, s.pools.read, "look for jobs", func(c *conn) error {
		return c.one(ctx, `SELECT `+s.d.now+`,
			(SELECT min(due_at) FROM jobs WHERE kind = $1 AND dead_at = 0 AND claimed_until = 0),
			(SELECT min(CASE WHEN due_at > claimed_until THEN due_at ELSE claimed_until END) FROM jobs WHERE kind = $1 AND claimed_until > 0)`,
			[]any{string(kind)}, &now, &due, &free)
	})
	if free.Valid && (!due.Valid || free.Int64 < due.Int64) {
		due = free
	}
	return time.Duration(due.Int64-now.Int64) * time.Millisecond, due.Valid, err
}

// ClaimJobs claims at most limit jobs of a kind that are due, for as long as lasts by the
// database's clock. Those whose claim ran out come first. All claimers of a kind claim for
// as long: a claim that would last more than twice that is from before that clock went
// back, and keeps nobody out.
func (s *Store) ClaimJobs(ctx context.Context, kind chat.JobKind, lasts time.Duration, limit int) (jobs []chat.ClaimedJob, err error) {
	err = s.update(ctx, "claim jobs", func(c *conn) ([]chat.Event, error) {
		jobs = nil
		now, err := s.clock(ctx, c)
		if err != nil {
			return nil, err
		}
		keys, err := s.dueJobs(ctx, c, kind, now, lasts, limit)
		if err != nil || len(keys) == 0 {
			return nil, err
		}
		claim := s.newID()
		_, err = c.exec(ctx, `UPDATE jobs SET claim = $3, claimed_until = $4, attempts = attempts + 1, again = 0
			WHERE kind = $2 AND key IN `+s.d.ids(), encodeIDs(keys), string(kind), claim, int64(now.Add(lasts)))
		if err != nil {
			return nil, fmt.Errorf("claim: %w", err)
		}
		jobs, err = collect(ctx, c, scanClaimed, `SELECT kind, key, payload, due_at, claim, version, attempts, CAST($3 AS BIGINT) - created_at
			FROM jobs WHERE kind = $2 AND key IN `+s.d.ids()+" ORDER BY due_at, key", encodeIDs(keys), string(kind), int64(now))
		return nil, err
	})
	return jobs, err
}

// dueJobs locks jobs that may be claimed and that nobody else is about to claim.
func (s *Store) dueJobs(ctx context.Context, c *conn, kind chat.JobKind, now chat.Time, lasts time.Duration, limit int) ([]string, error) {
	lost, err := collect(ctx, c, scanString, `SELECT key FROM jobs WHERE kind = $1 AND claimed_until > 0 AND due_at <= $2
		AND (claimed_until <= $2 OR claimed_until > $3) ORDER BY claimed_until LIMIT $4`+s.d.skipLocked,
		string(kind), int64(now), int64(now.Add(2*lasts)), limit)
	if err != nil {
		return nil, fmt.Errorf("look for claims that ran out: %w", err)
	}
	due, err := collect(ctx, c, scanString, `SELECT key FROM jobs WHERE kind = $1 AND dead_at = 0 AND claimed_until = 0 AND due_at <= $2
		ORDER BY due_at, key LIMIT $3`+s.d.skipLocked, string(kind), int64(now), limit-len(lost))
	if err != nil {
		return nil, fmt.Errorf("look for due jobs: %w", err)
	}
	return append(lost, due...), nil
}

func scanClaimed(rows *sql.Rows, j *chat.ClaimedJob) error {
	var age int64
	err := rows.Scan(&j.Kind, &j.Key, &j.Payload, &j.DueAt, &j.Claim, &j.Version, &j.Attempts, &age)
	j.Age = time.Duration(age) * time.Millisecond
	return err
}

// FinishJob removes a job that is done; one that was put again meanwhile stays, and runs
// again. ours is false if the claim is somebody else's by now: then nothing changes.
func (s *Store) FinishJob(ctx context.Context, j chat.ClaimedJob) (ours bool, err error) {
	err = s.update(ctx, "finish job", func(c *conn) ([]chat.Event, error) {
		ours, err = finishJob(ctx, c, j)
		return nil, err
	})
	return ours, err
}

// finishJob is FinishJob in the transaction that does the work.
func finishJob(ctx context.Context, c *conn, j chat.ClaimedJob) (ours bool, err error) {
	n, err := c.exec(ctx, "DELETE FROM jobs WHERE kind = $1 AND key = $2 AND claim = $3 AND version = $4 AND again = 0",
		string(j.Kind), j.Key, j.Claim, j.Version)
	if err == nil && n == 0 {
		n, err = c.exec(ctx, "UPDATE jobs SET claim = '', claimed_until = 0, attempts = 0, again = 0 WHERE kind = $1 AND key = $2 AND claim = $3",
			string(j.Kind), j.Key, j.Claim)
	}
	if err != nil {
		return false, fmt.Errorf("finish job: %w", err)
	}
	return n == 1, nil
}

// RetryJob ends the claim of a job that failed, and makes it due again in as long as in.
func (s *Store) RetryJob(ctx context.Context, j chat.ClaimedJob, in time.Duration, problem string) (ours bool, err error) {
	return s.endClaim(ctx, j, "due_at = CASE WHEN version = $4 THEN "+s.d.now+" + $5 ELSE due_at END, problem = $6", in.Milliseconds(), problem)
}

// ReleaseJob gives a job back that was hardly begun: it is due at once, and the attempt
// does not count.
func (s *Store) ReleaseJob(ctx context.Context, j chat.ClaimedJob) (ours bool, err error) {
	return s.endClaim(ctx, j, "attempts = CASE WHEN version = $4 AND attempts > 0 THEN attempts - 1 ELSE attempts END")
}

// BuryJob makes a job a dead letter, unless it was replaced meanwhile.
func (s *Store) BuryJob(ctx context.Context, j chat.ClaimedJob, problem string) (ours bool, err error) {
	return s.endClaim(ctx, j, "dead_at = CASE WHEN version = $4 THEN "+s.d.now+" ELSE 0 END, problem = $5", problem)
}

// endClaim ends a claim if it is still j's.
func (s *Store) endClaim(ctx context.Context, j chat.ClaimedJob, set string, args ...any) (ours bool, err error) {
	err = s.update(ctx, "end claim", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, "UPDATE jobs SET claim = '', claimed_until = 0, again = 0, "+set+" WHERE kind = $1 AND key = $2 AND claim = $3",
			append([]any{string(j.Kind), j.Key, j.Claim, j.Version}, args...)...)
		ours = n == 1
		return nil, err
	})
	return ours, err
}
