package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

// cursorRead is a member's cursor and what bounds it.
type cursorRead struct {
	chat.CursorState
	readNo, lastSeq, lastNo int64
}

// readCursor reads it, with or without a lock of the member's row.
func (s *Store) readCursor(ctx context.Context, c *conn, userID, chatID, suffix string) (r cursorRead, err error) {
	// The lock is a statement of its own, for the reason told at lockStreams.
	if suffix != "" {
		var one int
		err := c.one(ctx, "SELECT 1 FROM chat_members WHERE user_id = $1 AND chat_id = $2"+suffix, []any{userID, chatID}, &one)
		if err != nil {
			return r, orNotFound(err, noChat())
		}
	}
	r.UserID = userID
	err = c.one(ctx, `SELECT cm.read_seq, cm.delivered_seq, cm.read_no, s.last_seq, s.last_no
		FROM chat_members cm JOIN streams s ON s.id = cm.chat_id WHERE cm.user_id = $1 AND cm.chat_id = $2`,
		[]any{userID, chatID}, &r.ReadSeq, &r.DeliveredSeq, &r.readNo, &r.lastSeq, &r.lastNo)
	return r, orNotFound(err, noChat())
}

// move applies a change, only forward and not beyond the stream, and reports
// whether anything moved.
func (r *cursorRead) move(ch chat.CursorChange) (read, any bool) {
	before := r.Cursor
	if ch.ReadSeq != nil {
		r.ReadSeq = max(r.ReadSeq, min(*ch.ReadSeq, r.lastSeq))
	}
	if ch.DeliveredSeq != nil {
		r.DeliveredSeq = max(r.DeliveredSeq, min(*ch.DeliveredSeq, r.lastSeq))
	}
	r.DeliveredSeq = max(r.DeliveredSeq, r.ReadSeq)
	return r.ReadSeq != before.ReadSeq, r.Cursor != before
}

// count fills in the counts that follow from the cursor.
func (r *cursorRead) count(ctx context.Context, c *conn, chatID string) error {
	r.Unread = r.lastNo - r.readNo
	return c.one(ctx, `SELECT (SELECT count(*) FROM mentions WHERE user_id = $1 AND chat_id = $2 AND seq > $3)
		+ (SELECT count(*) FROM messages WHERE chat_id = $2 AND mentions_all = 1 AND seq > $3)`,
		[]any{r.UserID, chatID, r.ReadSeq}, &r.Mentions)
}

// SetCursor implements chat.MemberStore. What moves nothing writes nothing.
func (s *Store) SetCursor(ctx context.Context, userID, chatID string, ch chat.CursorChange) (chat.CursorState, error) {
	var r cursorRead
	moves := false
	err := s.snapshot(ctx, s.pools.read, "read cursor", func(c *conn) (err error) {
		if r, err = s.readCursor(ctx, c, userID, chatID, ""); err != nil {
			return err
		}
		if _, moves = r.move(ch); moves {
			return nil
		}
		return r.count(ctx, c, chatID)
	})
	if err != nil || !moves {
		return r.CursorState, err
	}
	err = s.update(ctx, "save cursor", func(c *conn) (_ []chat.Event, err error) {
		r, err = s.saveCursor(ctx, c, userID, chatID, ch)
		return nil, err
	})
	return r.CursorState, err
}

func (s *Store) saveCursor(ctx context.Context, c *conn, userID, chatID string, ch chat.CursorChange) (cursorRead, error) {
	r, err := s.readCursor(ctx, c, userID, chatID, s.d.lock)
	if err != nil {
		return r, err
	}
	read, moved := r.move(ch)
	if read {
		err := c.one(ctx, "SELECT COALESCE(max(no), 0) FROM messages WHERE chat_id = $1 AND seq = "+
			"(SELECT max(seq) FROM messages WHERE chat_id = $1 AND seq <= $2)", []any{chatID, r.ReadSeq}, &r.readNo)
		if err != nil {
			return r, fmt.Errorf("number the last message read: %w", err)
		}
	}
	if moved {
		_, err := c.exec(ctx, `UPDATE chat_members SET read_seq = $3, read_no = $4, delivered_seq = $5
			WHERE user_id = $1 AND chat_id = $2`, userID, chatID, r.ReadSeq, r.readNo, r.DeliveredSeq)
		if err != nil {
			return r, err
		}
	}
	return r, r.count(ctx, c, chatID)
}

// Cursors implements chat.MemberStore.
func (s *Store) Cursors(ctx context.Context, userID, chatID string, p chat.Page) (cursors []chat.Cursor, next string, err error) {
	var after string
	if _, err := decodeAfter("cursors", p.After, &after); err != nil {
		return nil, "", err
	}
	err = s.snapshot(ctx, s.pools.read, "list cursors", func(c *conn) error {
		if err := requireMember(ctx, c, userID, chatID); err != nil {
			return err
		}
		cursors, err = collect(ctx, c, func(rows *sql.Rows, v *chat.Cursor) error {
			return rows.Scan(&v.UserID, &v.ReadSeq, &v.DeliveredSeq)
		}, `SELECT user_id, read_seq, delivered_seq FROM chat_members
			WHERE chat_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`, chatID, after, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	cursors, more := cut(cursors, p.Limit)
	if more {
		next = encodeAfter("cursors", cursors[len(cursors)-1].UserID)
	}
	return cursors, next, nil
}

// CursorsAt implements chat.ChatStore: for each chat of the user the last seq
// before a time; 0 where the log no longer reaches down to it.
func (s *Store) CursorsAt(ctx context.Context, userID string, at chat.Time) (cursors map[string]int64, err error) {
	cursors = map[string]int64{}
	err = s.view(ctx, s.pools.replay, "read cursors at a time", func(c *conn) error {
		_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
			var id string
			var seq int64
			err := rows.Scan(&id, &seq)
			cursors[id] = seq
			return err
		}, `SELECT cm.chat_id, CASE WHEN s.last_ts < $2 THEN s.last_seq ELSE COALESCE(
				(SELECT e.seq FROM events e WHERE e.stream_id = cm.chat_id AND e.ts < $2 ORDER BY e.seq DESC LIMIT 1), 0) END
			FROM chat_members cm JOIN streams s ON s.id = cm.chat_id WHERE cm.user_id = $1`, userID, int64(at))
		return err
	})
	return cursors, err
}
