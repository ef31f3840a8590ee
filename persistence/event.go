package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"fechatter/chat"
)

// readEvents reads a stream's log after a seq. What people wrote comes from the
// messages as they are now.
func readEvents(ctx context.Context, c *conn, stream string, after int64, limit int) ([]chat.Event, error) {
	events, err := collect(ctx, c, scanEvent, `SELECT e.stream_id, e.seq, e.op, e.ts, e.actor_id, e.personal, e.subject,
			e.message_id, e.message_seq, e.d, `+messageColumns+`
		FROM events e LEFT JOIN messages m ON m.chat_id = e.stream_id AND m.seq = e.message_seq
			AND e.op IN ('message.created', 'message.edited')
		WHERE e.stream_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3`, stream, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

func scanEvent(rows *sql.Rows, e *chat.Event) error {
	var d string
	var m messageScan
	into := []any{&e.StreamID, &e.Seq, &e.Op, &e.TS, &e.ActorID, &e.Personal, &e.Subject, &e.MessageID, &e.MessageSeq, &d}
	if err := rows.Scan(append(into, m.fields()...)...); err != nil {
		return err
	}
	e.D = json.RawMessage(d)
	if !m.found() {
		return nil
	}
	message, err := m.message()
	if e.Op == chat.OpMessageCreated {
		e.D = chat.MessageCreated{Message: message, Key: m.key.String}
	} else {
		e.D = editedPayload(message)
	}
	return err
}

func editedPayload(m chat.Message) chat.MessageEdited {
	d := chat.MessageEdited{MessageID: m.ID, MessageSeq: m.Seq, Body: m.Body, Mentions: m.Mentions,
		MentionsAll: m.MentionsAll, Version: m.Version}
	if m.EditedAt != nil {
		d.EditedAt = *m.EditedAt
	}
	return d
}

// Events implements chat.EventStore.
func (s *Store) Events(ctx context.Context, userID, chatID string, after int64, limit int) (page chat.EventPage, err error) {
	err = s.snapshot(ctx, s.pools.read, "read events", func(c *conn) error {
		m, err := memberEvents(ctx, c, userID, chatID, after, limit)
		if err != nil {
			return err
		}
		if !m.Member {
			return noChat()
		}
		page = chat.EventPage{Events: m.Events, LastSeq: m.LastSeq, Trimmed: m.Trimmed}
		return c.one(ctx, "SELECT "+s.d.epoch, nil, &page.Epoch)
	})
	return page, err
}

// MemberEvents reads a part of a chat's log together with the membership, in one
// snapshot. For somebody who is not a member the page says so; that is not an error.
func (s *Store) MemberEvents(ctx context.Context, userID, chatID string, after int64, limit int) (page chat.MemberEvents, err error) {
	err = s.snapshot(ctx, s.pools.replay, "read member's events", func(c *conn) error {
		page, err = memberEvents(ctx, c, userID, chatID, after, limit)
		return err
	})
	return page, err
}

func memberEvents(ctx context.Context, c *conn, userID, chatID string, after int64, limit int) (chat.MemberEvents, error) {
	page := chat.MemberEvents{Member: true}
	err := c.one(ctx, `SELECT cm.added_seq, s.last_seq FROM chat_members cm JOIN streams s ON s.id = cm.chat_id
		WHERE cm.user_id = $1 AND cm.chat_id = $2`, []any{userID, chatID}, &page.AddedSeq, &page.LastSeq)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.MemberEvents{}, nil
	}
	if err != nil {
		return chat.MemberEvents{}, fmt.Errorf("read membership: %w", err)
	}
	if after >= page.LastSeq {
		return page, nil
	}
	page.Events, err = readEvents(ctx, c, chatID, after, limit)
	if len(page.Events) == 0 || page.Events[0].Seq != after+1 {
		page.Events, page.Trimmed = nil, true
	}
	return page, err
}

// StreamEvents reads the log of a chat or a user, whoever asks: at most limit
// consecutive events after a seq. When the log no longer reaches back that far,
// the first event has a seq greater than after+1.
func (s *Store) StreamEvents(ctx context.Context, stream string, after int64, limit int) (events []chat.Event, err error) {
	err = s.view(ctx, s.pools.replay, "read stream", func(c *conn) error {
		events, err = readEvents(ctx, c, stream, after, limit)
		return err
	})
	return events, err
}

// Positions returns the end of each stream, of chats and users alike, and the
// epoch. A stream that does not exist is absent.
func (s *Store) Positions(ctx context.Context, streams []string) (epoch string, ends map[string]chat.StreamEnd, err error) {
	ends = make(map[string]chat.StreamEnd, len(streams))
	err = s.view(ctx, s.pools.replay, "read positions", func(c *conn) error {
		_, err := collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
			var id sql.NullString
			var seq, ts sql.NullInt64
			if err := rows.Scan(&epoch, &id, &seq, &ts); err != nil {
				return err
			}
			if id.Valid {
				ends[id.String] = chat.StreamEnd{Seq: seq.Int64, TS: chat.Time(ts.Int64)}
			}
			return nil
		}, "SELECT known.epoch, s.id, s.last_seq, s.last_ts FROM (SELECT "+s.d.epoch+" AS epoch) AS known LEFT JOIN streams s ON s.id IN "+
			s.d.ids(), encodeIDs(streams))
		return err
	})
	return epoch, ends, err
}
