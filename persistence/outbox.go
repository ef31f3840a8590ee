package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"fechatter/chat"
)

// backlogRows is how much of the outbox is looked at to say how long it is.
const backlogRows = 10_000

// PendingIndex gives the oldest changes that wait to be indexed and were not
// refused, with the messages as they are now, if the lease is held at this
// moment.
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

// outboxRow is a row of index_outbox that has been dealt with.
type outboxRow struct {
	MessageID string `json:"message_id"`
	Version   int64  `json:"version"`
}

// IndexDone forgets changes that are in the index, unless the message was changed
// once more since they were read.
func (s *Store) IndexDone(ctx context.Context, entries []chat.IndexEntry) error {
	rows := make([]outboxRow, len(entries))
	for i, e := range entries {
		rows[i] = outboxRow{e.MessageID, e.Version}
	}
	return s.update(ctx, "shorten outbox", func(c *conn) ([]chat.Event, error) {
		return nil, execRows(ctx, c, "delete from outbox", s.sql.deleteOutbox, rows)
	})
}

// IndexRefused keeps a change from being tried again, until the message changes
// once more or is queued anew.
func (s *Store) IndexRefused(ctx context.Context, e chat.IndexEntry, reason string) error {
	return s.update(ctx, "park message", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE index_outbox SET refused = $3 WHERE message_id = $1 AND version <= $2", e.MessageID, e.Version, reason)
		return nil, err
	})
}

// IndexBacklog looks at the oldest part of the outbox.
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

// queuedAt is when a row of the outbox o was queued: a node of the release before
// does not say so.
const queuedAt = "CASE WHEN o.queued_at > 0 THEN o.queued_at ELSE COALESCE((SELECT m.created_at FROM messages m WHERE m.id = o.message_id), 0) END"

// QueueIndex lets messages be indexed again, whether or not they are there any
// more, and answers how many those are. What waits already, or is refused, goes on
// so.
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

// RetryRefused lets all that the engine refused be tried again.
func (s *Store) RetryRefused(ctx context.Context) error {
	return s.update(ctx, "queue what was refused", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "UPDATE index_outbox SET refused = '', queued_at = "+s.d.now+" WHERE refused <> ''")
		return nil, err
	})
}

// QueueChat lets messages of one chat be indexed again, those after a seq, at
// most limit of them. It answers how many, and the last one's seq.
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

// IndexPage gives messages in the order of their ids, those that are deleted left
// out, and the id after which the next page begins: "" at the end.
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

// CountMessages counts the messages that are not deleted.
func (s *Store) CountMessages(ctx context.Context) (n int64, err error) {
	err = s.view(ctx, s.pools.read, "count messages", func(c *conn) error {
		return c.one(ctx, "SELECT count(*) FROM messages WHERE deleted_at IS NULL", nil, &n)
	})
	return n, err
}

// MessageVersions gives the versions of those messages that exist and are not
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

// HasMessages says whether there is any message that is not deleted.
func (s *Store) HasMessages(ctx context.Context) (any bool, err error) {
	err = s.view(ctx, s.pools.read, "look for messages", func(c *conn) error {
		return c.one(ctx, "SELECT EXISTS (SELECT 1 FROM messages WHERE deleted_at IS NULL)", nil, &any)
	})
	return any, err
}

// HasIndexed says whether the oldest message that is not deleted waits no more to
// be indexed.
func (s *Store) HasIndexed(ctx context.Context) (indexed bool, err error) {
	err = s.view(ctx, s.pools.read, "look for indexed messages", func(c *conn) error {
		return c.one(ctx, `SELECT EXISTS (SELECT 1 FROM (SELECT id FROM messages WHERE deleted_at IS NULL ORDER BY id LIMIT 1) AS r
			WHERE NOT EXISTS (SELECT 1 FROM index_outbox o WHERE o.message_id = r.id))`, nil, &indexed)
	})
	return indexed, err
}

// IndexJob reads the word about a rebuild of the index that program and command
// leave each other, "" when there is none.
func (s *Store) IndexJob(ctx context.Context) (job string, err error) {
	err = s.view(ctx, s.pools.read, "read index job", func(c *conn) error {
		return c.one(ctx, "SELECT COALESCE((SELECT value FROM meta WHERE name = $1), '')", []any{metaIndexJob}, &job)
	})
	return job, err
}

// SaveIndexJob replaces it.
func (s *Store) SaveIndexJob(ctx context.Context, job string) error {
	return s.update(ctx, "save index job", func(c *conn) ([]chat.Event, error) {
		_, err := c.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", metaIndexJob, job)
		if err != nil {
			return nil, fmt.Errorf("write meta: %w", err)
		}
		return nil, nil
	})
}
