package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"fechatter/chat"
)

const (
	// indexLogKept is for how many messages the log of indexing lasts. An index that
	// lacks more than that is rebuilt.
	indexLogKept = 200_000
	// indexLogRows bounds how many batches of the log are read at a time, and
	// indexLogMessages after how many of their messages no further batch is added.
	indexLogRows     = 100
	indexLogMessages = 1000

	lastOfLog = "SELECT last, id FROM index_log ORDER BY last DESC LIMIT 1"
)

// A position in the log is that of its row, and the row's random id: in a database that
// was restored to an earlier state, another row may come to have the same place.
func indexPosition(last int64, id string) string { return strconv.FormatInt(last, 10) + "/" + id }

func parseIndexPosition(position string) (last int64, id string, ok bool) {
	number, id, found := strings.Cut(position, "/")
	last, err := strconv.ParseInt(number, 10, 64)
	return last, id, found && err == nil
}

// appendIndexLog logs a batch, forgets what is too old, and returns the position after it.
func (s *Store) appendIndexLog(ctx context.Context, c *conn, ids []string) (position string, err error) {
	var last int64
	var id string
	if err := c.one(ctx, lastOfLog, nil, &last, &id); err != nil {
		return "", fmt.Errorf("read index log: %w", err)
	}
	if len(ids) == 0 {
		return indexPosition(last, id), nil
	}
	last += int64(len(ids))
	id = s.newID()
	if _, err := c.exec(ctx, "INSERT INTO index_log (last, id, messages) VALUES ($1, $2, $3)", last, id, encodeIDs(ids)); err != nil {
		return "", fmt.Errorf("append to index log: %w", err)
	}
	if _, err := c.exec(ctx, "DELETE FROM index_log WHERE last <= $1", last-indexLogKept); err != nil {
		return "", fmt.Errorf("trim index log: %w", err)
	}
	return indexPosition(last, id), nil
}

// IndexPosition returns the position at the end of the log of indexing.
func (s *Store) IndexPosition(ctx context.Context) (position string, err error) {
	err = s.view(ctx, s.pools.read, "read index log", func(c *conn) error {
		var last int64
		var id string
		err := c.one(ctx, lastOfLog, nil, &last, &id)
		position = indexPosition(last, id)
		return err
	})
	return position, err
}

// IndexedSince returns messages that were indexed after a position, as they are now, and
// the position after those; at the end of the log there are none. known is false if the
// position is not, or no longer, in the log.
func (s *Store) IndexedSince(ctx context.Context, position string) (entries []chat.IndexEntry, next string, known bool, err error) {
	last, id, ok := parseIndexPosition(position)
	if !ok {
		return nil, "", false, nil
	}
	err = s.snapshot(ctx, s.pools.read, "read index log", func(c *conn) error {
		known = false
		if err := c.one(ctx, "SELECT 1 FROM index_log WHERE last = $1 AND id = $2", []any{last, id}, new(int)); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				err = nil
			}
			return err
		}
		known = true
		ids, after, err := logged(ctx, c, last)
		if err != nil || len(ids) == 0 {
			next = position
			return err
		}
		next = after
		entries, err = collect(ctx, c, scanIndexEntry, "SELECT i.value, COALESCE(m.version, 1), "+messageColumns+
			" FROM "+s.d.ids()+" AS i LEFT JOIN messages m ON m.id = i.value", encodeIDs(ids))
		return err
	})
	return entries, next, known && err == nil, err
}

// logged returns the messages of some of the batches after a place in the log, each
// once, and the position after them.
func logged(ctx context.Context, c *conn, after int64) (ids []string, next string, err error) {
	type batch struct {
		last         int64
		id, messages string
	}
	batches, err := collect(ctx, c, func(rows *sql.Rows, b *batch) error { return rows.Scan(&b.last, &b.id, &b.messages) },
		"SELECT last, id, messages FROM index_log WHERE last > $1 ORDER BY last LIMIT $2", after, indexLogRows)
	if err != nil {
		return nil, "", err
	}
	seen := map[string]bool{}
	for _, b := range batches {
		if len(ids) >= indexLogMessages {
			break
		}
		var more []string
		if err := json.Unmarshal([]byte(b.messages), &more); err != nil {
			return nil, "", fmt.Errorf("read batch: %w", err)
		}
		for _, id := range more {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		next = indexPosition(b.last, b.id)
	}
	return ids, next, nil
}
