package persistence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

const (
	trimStreams = 200 // streams looked at in one transaction
	trimEvents  = 500 // events deleted in one transaction
)

// runTrim trims the log every TrimEvery until ctx ends.
func (s *Store) runTrim(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.TrimEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if n, err := s.Trim(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("trimming the event log failed", "deleted", n, "error", err)
		}
	}
}

// Trim deletes events that are both older than KeepEvents and not among the last
// KeepLast of their stream, what of sessions and codes has expired, and long dead jobs,
// in small transactions. Messages stay. It returns how many events it deleted.
func (s *Store) Trim(ctx context.Context) (deleted int64, err error) {
	now, err := s.trimSessions(ctx)
	if err == nil {
		err = errors.Join(s.trimJobs(ctx, now), s.trimCodes(ctx, now))
	}
	if err != nil {
		return 0, err
	}
	cutoff := int64(now.Add(-s.cfg.KeepEvents))
	for after := ""; ; {
		var ids []string
		err := s.view(ctx, s.pools.read, "list streams to trim", func(c *conn) error {
			ids, err = collect(ctx, c, scanString, "SELECT id FROM streams WHERE id > $1 AND last_seq > $2 ORDER BY id LIMIT $3",
				after, s.cfg.KeepLast, trimStreams)
			return err
		})
		if err != nil || len(ids) == 0 {
			return deleted, err
		}
		for _, id := range ids {
			n, err := s.trimStream(ctx, id, cutoff)
			deleted += n
			if err != nil {
				return deleted, err
			}
		}
		after = ids[len(ids)-1]
	}
}

// trimStream deletes from the old end of a stream for as long as it may.
func (s *Store) trimStream(ctx context.Context, id string, cutoff int64) (deleted int64, err error) {
	for {
		var old bool
		err := s.view(ctx, s.pools.read, "look for old events", func(c *conn) error {
			return c.one(ctx, `SELECT count(*) > 0 FROM streams s JOIN events e ON e.stream_id = s.id
				WHERE s.id = $1 AND e.ts < $2 AND e.seq <= s.last_seq - $3
					AND e.seq = (SELECT min(f.seq) FROM events f WHERE f.stream_id = $1)`,
				[]any{id, cutoff, s.cfg.KeepLast}, &old)
		})
		if err != nil || !old {
			return deleted, err
		}
		var n int64
		err = s.update(ctx, "trim stream", func(c *conn) ([]chat.Event, error) {
			n, err = c.exec(ctx, `DELETE FROM events WHERE stream_id = $1 AND seq IN (
				SELECT e.seq FROM events e JOIN streams s ON s.id = e.stream_id
				WHERE e.stream_id = $1 AND e.ts < $2 AND e.seq <= s.last_seq - $3 ORDER BY e.seq LIMIT $4)`,
				id, cutoff, s.cfg.KeepLast, trimEvents)
			return nil, err
		})
		deleted += n
		if err != nil || n < trimEvents {
			return deleted, err
		}
	}
}

// trimSessions deletes expired sessions and returns the database's time.
func (s *Store) trimSessions(ctx context.Context) (now chat.Time, err error) {
	err = s.update(ctx, "trim sessions", func(c *conn) ([]chat.Event, error) {
		if now, err = s.clock(ctx, c); err != nil {
			return nil, err
		}
		if _, err := c.exec(ctx, "DELETE FROM sessions WHERE expires_at < $1", int64(now)); err != nil {
			return nil, fmt.Errorf("delete sessions: %w", err)
		}
		return nil, nil
	})
	return now, err
}
