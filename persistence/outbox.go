package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"fechatter/chat"
)

// backlogRows is how much of the outbox is counted.
const backlogRows = 10_000

// PendingIndex returns the oldest changes that wait to be indexed and were not
// refused, with the messages as they are now, provided that the lease is held at
// this moment.
func (s *Store) PendingIndex(ctx context.Context, l chat.Lease, limit int) (entries []chat.IndexEntry, held bool, err error) {
	err = s.snapshot(ctx, s.pools.read, "read outbox", func(c *conn) error {
		if err := c.one(ctx, "SELECT "+s.d.leaseHeld(), []any{l.Name, l.Holder}, &held); err != nil || !held {
			return err
		}
		entries, err = collect(ctx, c, scanIndexEntry, `SELECT o.message_id, o.version, `+messageColumns+`
			FROM (SELECT message_id, version FROM index_outbox WHERE refused = '' ORDER BY message_id LIMIT $1) AS o
			LEFT JOIN messages m ON m.id = o.message_id ORDER BY o.message_id`, limit)
		return err
	})
	return entries, held, err
}

func scanIndexEntry(rows *sql.Rows, e *chat.IndexEntry) error {
	var found messageScan
	if err := rows.Scan(append([]any{&e.MessageID, &e.Version}, found.fields()...)...); err != nil {
		return err
	}
	if !found.found() || found.deleted.Valid {
		return nil
	}
	m, err := found.message()
	e.Message = &m
	return err
}

// outboxRow is a row of index_outbox that is done.
type outboxRow struct {
	MessageID string `json:"message_id"`
	Version   int64  `json:"version"`
}

// IndexDone removes changes that are in the index from the outbox, unless the
// message has changed again since they were read, and logs them. It does so provided
// that the lease is held, which nobody can acquire meanwhile, and returns the position
// after them.
func (s *Store) IndexDone(ctx context.Context, l chat.Lease, entries []chat.IndexEntry) (position string, held bool, err error) {
	rows, ids := make([]outboxRow, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		rows[i], ids[i] = outboxRow{e.MessageID, e.Version}, e.MessageID
	}
	err = s.update(ctx, "shorten outbox", func(c *conn) ([]chat.Event, error) {
		var at sql.NullInt64
		err := c.one(ctx, "SELECT expires_at FROM leases WHERE name = $1 AND holder = $2 AND expires_at > "+s.d.now+s.d.lock, []any{l.Name, l.Holder}, &at)
		if held = err == nil; errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("lock lease: %w", err)
		}
		if position, err = s.appendIndexLog(ctx, c, ids); err != nil {
			return nil, err
		}
		return nil, execRows(ctx, c, "delete from outbox", s.sql.deleteOutbox, rows)
	})
	return position, held && err == nil, err
}

// IndexRefused keeps a change from being tried again until the message changes or
// RetryRefused or QueueChat is called.
func (s *Store) IndexRefused(ctx context.Context, e chat.IndexEntry, reason string) error {
	return s.update(ctx, "park message", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE index_outbox SET refused = $3 WHERE message_id = $1 AND version <= $2", e.MessageID, e.Version, reason)
		return nil, err
	})
}

// IndexBacklog describes the oldest part of the outbox.
func (s *Store) IndexBacklog(ctx context.Context) (b chat.IndexBacklog, err error) {
	err = s.view(ctx, s.pools.read, "look at outbox", func(c *conn) error {
		var lag sql.NullInt64
		err := c.one(ctx, `SELECT COALESCE(sum(CASE WHEN refused = '' THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN refused = '' THEN 0 ELSE 1 END), 0),
			`+s.d.now+` - min(CASE WHEN refused = '' THEN `+queuedAt+` END)
			FROM (SELECT * FROM index_outbox ORDER BY message_id LIMIT $1) AS o`, []any{backlogRows}, &b.Waiting, &b.Refused, &lag)
		b.Lag = max(0, time.Duration(lag.Int64)*time.Millisecond)
		return err
	})
	return b, err
}

// queuedAt is when a row of the outbox o was queued. Nodes of the previous release
// do not record that.
const queuedAt = "CASE WHEN o.queued_at > 0 THEN o.queued_at ELSE COALESCE((SELECT m.created_at FROM messages m WHERE m.id = o.message_id), 0) END"

// QueueIndex queues messages to be indexed again, whether or not they still exist,
// and returns how many it has queued. Those that wait already or are refused stay
// as they are.
func (s *Store) QueueIndex(ctx context.Context, ids []string) (queued int, err error) {
	err = s.update(ctx, "queue messages", func(c *conn) ([]chat.Event, error) {
		n, err := c.exec(ctx, `INSERT INTO index_outbox (message_id, version, queued_at)
			SELECT i.value, COALESCE((SELECT m.version FROM messages m WHERE m.id = i.value), 1), `+s.d.now+`
			FROM `+s.d.ids()+` AS i WHERE true
			ON CONFLICT (message_id) DO NOTHING`, encodeIDs(ids))
		queued = int(n)
		return nil, err
	})
	return queued, err
}

// RetryRefused queues everything that the engine has refused.
func (s *Store) RetryRefused(ctx context.Context) error {
	return s.update(ctx, "queue what was refused", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE index_outbox SET refused = '', queued_at = "+s.d.now+" WHERE refused <> ''")
		return nil, err
	})
}

// QueueChat queues at most limit messages of a chat after a seq to be indexed
// again. It returns how many, and the seq of the last one.
func (s *Store) QueueChat(ctx context.Context, chatID string, after int64, limit int) (n int, last int64, err error) {
	var seqs []int64
	err = s.update(ctx, "queue chat", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, `INSERT INTO index_outbox (message_id, version, queued_at)
			SELECT m.id, m.version, `+s.d.now+` FROM messages m WHERE m.chat_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3
			ON CONFLICT (message_id) DO UPDATE SET refused = ''`, chatID, after, limit)
		if err != nil {
			return nil, err
		}
		seqs, err = collect(ctx, c, func(rows *sql.Rows, seq *int64) error { return rows.Scan(seq) },
			"SELECT seq FROM messages WHERE chat_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", chatID, after, limit)
		return nil, err
	})
	if err != nil || len(seqs) == 0 {
		return 0, after, err
	}
	return len(seqs), seqs[len(seqs)-1], nil
}

// IndexPage returns messages in the order of their ids, without deleted ones, and
// the id after which the next page begins, "" at the end.
func (s *Store) IndexPage(ctx context.Context, after string, limit int) (messages []chat.Message, next string, err error) {
	err = s.view(ctx, s.pools.read, "read messages to index", func(c *conn) error {
		messages, err = collect(ctx, c, scanMessage, "SELECT "+messageColumns+
			" FROM messages m WHERE m.id > $1 ORDER BY m.id LIMIT $2", after, limit)
		return err
	})
	if len(messages) == limit {
		next = messages[limit-1].ID
	}
	return slices.DeleteFunc(messages, func(m chat.Message) bool { return m.DeletedAt != nil }), next, err
}

// CountMessages returns the number of messages that are not deleted.
func (s *Store) CountMessages(ctx context.Context) (n int64, err error) {
	err = s.view(ctx, s.pools.read, "count messages", func(c *conn) error {
		return c.one(ctx, "SELECT count(*) FROM messages WHERE deleted_at IS NULL", nil, &n)
	})
	return n, err
}

// MessageVersions returns the versions of those messages that exist and are not
// deleted.
func (s *Store) MessageVersions(ctx context.Context, ids []string) (versions map[string]int64, err error) {
	versions = make(map[string]int64, len(ids))
	err = s.view(ctx, s.pools.read, "read versions", func(c *conn) error {
		_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
			var id string
			var version int64
			err := rows.Scan(&id, &version)
			versions[id] = version
			return err
		}, "SELECT id, version FROM messages WHERE deleted_at IS NULL AND id IN "+s.d.ids(), encodeIDs(ids))
		return err
	})
	return versions, err
}

// HasMessages reports whether there is any message that is not deleted.
func (s *Store) HasMessages(ctx context.Context) (any bool, err error) {
	err = s.view(ctx, s.pools.read, "look for messages", func(c *conn) error {
		return c.one(ctx, "SELECT EXISTS (SELECT 1 FROM messages WHERE deleted_at IS NULL)", nil, &any)
	})
	return any, err
}

// HasIndexed reports whether the oldest message that is not deleted has been
// indexed.
func (s *Store) HasIndexed(ctx context.Context) (indexed bool, err error) {
	err = s.view(ctx, s.pools.read, "look for indexed messages", func(c *conn) error {
		return c.one(ctx, `SELECT EXISTS (SELECT 1 FROM (SELECT id FROM messages WHERE deleted_at IS NULL ORDER BY id LIMIT 1) AS r
			WHERE NOT EXISTS (SELECT 1 FROM index_outbox o WHERE o.message_id = r.id))`, nil, &indexed)
	})
	return indexed, err
}

// IndexJob returns the note about a rebuild of the index that the program and its
// commands exchange, "" if there is none.
func (s *Store) IndexJob(ctx context.Context) (job string, err error) {
	err = s.view(ctx, s.pools.read, "read index job", func(c *conn) error {
		return c.one(ctx, "SELECT COALESCE((SELECT value FROM meta WHERE name = $1), '')", []any{metaIndexJob}, &job)
	})
	return job, err
}

// SaveIndexJob replaces the note of IndexJob.
func (s *Store) SaveIndexJob(ctx context.Context, job string) error {
	return s.update(ctx, "save index job", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", metaIndexJob, job)
		if err != nil {
			return nil, fmt.Errorf("write meta: %w", err)
		}
		return nil, nil
	})
}
