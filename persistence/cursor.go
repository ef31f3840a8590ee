package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

// cursorRead is a member's cursor and what bounds it.
type cursorRead struct {
	chat.CursorMoved
	chatID         string
	readNo, lastNo int64
	readMoved      bool

	shownRead, shownDelivered int64 // to others
}

func scanCursor(rows *sql.Rows, r *cursorRead) error {
	return rows.Scan(&r.UserID, &r.chatID, &r.ReadSeq, &r.DeliveredSeq, &r.readNo, &r.LastSeq, &r.lastNo, &r.Members,
		&r.shownRead, &r.shownDelivered, &r.Hidden)
}

// apply moves the cursor, only forward and not beyond the stream.
func (r *cursorRead) apply(ch chat.CursorChange) {
	before := r.Cursor
	if ch.ReadSeq != nil {
		r.ReadSeq = max(r.ReadSeq, min(*ch.ReadSeq, r.LastSeq))
	}
	if ch.DeliveredSeq != nil {
		r.DeliveredSeq = max(r.DeliveredSeq, min(*ch.DeliveredSeq, r.LastSeq))
	}
	r.DeliveredSeq = max(r.DeliveredSeq, r.ReadSeq)
	if !r.Hidden {
		r.shownRead, r.shownDelivered = r.ReadSeq, r.DeliveredSeq
	}
	r.readMoved, r.Moved = r.ReadSeq != before.ReadSeq, r.Cursor != before
}

// SetCursor implements chat.MemberStore. What moves nothing writes nothing; the
// rest waits for Run to store it.
func (s *Store) SetCursor(ctx context.Context, userID, chatID string, ch chat.CursorChange) (chat.CursorMoved, error) {
	now, err := s.cursorNow(ctx, userID, chatID, ch)
	if err != nil || !now.Moved {
		return now, err
	}
	done, err := s.cursors.push(userID, chatID, ch)
	if err != nil {
		return chat.CursorMoved{}, err
	}
	select {
	case o := <-done:
		return o.moved, o.err
	case <-ctx.Done():
		return chat.CursorMoved{}, unknownOutcome(fmt.Errorf("set cursor: %w", ctx.Err()))
	}
}

// cursorNow answers the cursor with its counts if the change moves nothing.
func (s *Store) cursorNow(ctx context.Context, userID, chatID string, ch chat.CursorChange) (m chat.CursorMoved, err error) {
	err = s.snapshot(ctx, s.pools.read, "read cursor", func(c *conn) error {
		reads, err := rowsOf(ctx, c, scanCursor, s.sql.cursors, []memberRow{{UserID: userID, ChatID: chatID}})
		if err != nil {
			return err
		}
		if len(reads) == 0 {
			return noChat()
		}
		r := &reads[0]
		if r.apply(ch); r.Moved {
			m = r.CursorMoved
			return nil
		}
		r.Unread = r.lastNo - r.readNo
		rows, err := rowsOf(ctx, c, scanCount, s.sql.mentionCounts, []memberRow{{userID, chatID, r.ReadSeq}})
		if err != nil || len(rows) == 0 {
			return err
		}
		r.Mentions = rows[0].count
		m = r.CursorMoved
		return nil
	})
	return m, err
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
		}, `SELECT user_id, CASE WHEN user_id = $4 THEN read_seq ELSE shown_read_seq END,
				CASE WHEN user_id = $4 THEN delivered_seq ELSE shown_delivered_seq END
			FROM chat_members WHERE chat_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`, chatID, after, p.Limit+1, userID)
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
