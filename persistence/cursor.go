package persistence

import (
	"context"
	"database/sql"
	"fmt"

	"fechatter/chat"
)

// cursorRead is a member's cursor and its bounds.
type cursorRead struct {
	chat.CursorMoved
	chatID         string
	readNo, lastNo int64
	readMoved      bool

	shownRead, shownDelivered int64 // as others see it
}

func scanCursor(rows *sql.Rows, r *cursorRead) error {
	return rows.Scan(&r.UserID, &r.chatID, &r.ReadSeq, &r.DeliveredSeq, &r.readNo, &r.LastSeq, &r.lastNo, &r.Members,
		&r.shownRead, &r.shownDelivered, &r.Hidden)
}

// apply moves the cursor, only forward and not past the end of the stream.
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

// SetCursor implements chat.MemberStore. A change that moves nothing writes
// nothing; any other waits for Run to store it.
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

// cursorNow returns the cursor as the change leaves it, with its counts if nothing moves.
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
	return pageOf("cursors", cursors, err, p.Limit, func(v chat.Cursor) []any { return []any{v.UserID} })
}

// CursorsAt implements chat.ChatStore. An event below the horizon was visible, and so
// was every earlier one of its chat: the lock of the stream orders their commits.
func (s *Store) CursorsAt(ctx context.Context, userID string, at chat.Horizon) (cursors map[string]int64, err error) {
	cursors = map[string]int64{}
	err = s.view(ctx, s.pools.replay, "read cursors at a horizon", func(c *conn) error {
		_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
			var id string
			var seq int64
			err := rows.Scan(&id, &seq)
			cursors[id] = seq
			return err
		}, `SELECT cm.chat_id, COALESCE(
				(SELECT e.seq FROM events e WHERE e.stream_id = cm.chat_id AND e.tx < $2 ORDER BY e.seq DESC LIMIT 1), 0)
			FROM chat_members cm WHERE cm.user_id = $1`, userID, int64(at))
		return err
	})
	return cursors, err
}

// LastSeqs implements chat.ChatStore.
func (s *Store) LastSeqs(ctx context.Context, userID string) (last map[string]int64, at chat.Horizon, err error) {
	last = map[string]int64{}
	err = s.view(ctx, s.pools.replay, "read last seqs", func(c *conn) error {
		_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
			var id string
			var seq int64
			err := rows.Scan(&id, &seq, &at)
			last[id] = seq
			return err
		}, `SELECT cm.chat_id, s.last_seq, `+s.d.horizon+`
			FROM chat_members cm JOIN streams s ON s.id = cm.chat_id WHERE cm.user_id = $1`, userID)
		return err
	})
	return last, at, err
}
