package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"fechatter/chat"
)

// stream is a row of streams, locked.
type stream struct {
	id      string
	lastSeq int64
	lastNo  int64
	lastTS  chat.Time
	members int64
	changed bool
}

// next returns the place and time of the stream's next event. Time in a stream never
// runs backwards, even when the clock does.
func (st *stream) next(now chat.Time) (int64, chat.Time) {
	st.lastSeq++
	st.lastTS = max(now, st.lastTS)
	st.changed = true
	return st.lastSeq, st.lastTS
}

// lockStreams locks the rows of streams in the order of their ids and enters the
// gate of each. It is a statement of its own: what is decided under the lock must
// be read by later ones, because a statement that waits for a lock sees the other
// tables as they were before the wait.
func (s *Store) lockStreams(ctx context.Context, c *conn, ids []string, suffix string) (map[string]*stream, error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("encode ids: %w", err)
	}
	rows, err := collect(ctx, c, func(rows *sql.Rows, st *stream) error {
		return rows.Scan(&st.id, &st.lastSeq, &st.lastNo, &st.lastTS, &st.members)
	}, s.sql.lock+suffix, string(wanted))
	if err != nil {
		return nil, fmt.Errorf("lock streams: %w", err)
	}
	locked := make(map[string]*stream, len(rows))
	for i := range rows {
		if err := s.gate.enter(ctx, rows[i].id); err != nil {
			return nil, err
		}
		c.gated = append(c.gated, rows[i].id)
		locked[rows[i].id] = &rows[i]
	}
	return locked, nil
}

// clock reads the database's time; after a lock, that is the time after the wait.
func (s *Store) clock(ctx context.Context, c *conn) (now chat.Time, err error) {
	if err := c.one(ctx, s.sql.clock, nil, &now); err != nil {
		return 0, fmt.Errorf("read clock: %w", err)
	}
	return now, nil
}

type streamRow struct {
	ID      string `json:"id"`
	LastSeq int64  `json:"last_seq"`
	LastNo  int64  `json:"last_no"`
	LastTS  int64  `json:"last_ts"`
	Members int64  `json:"members"`
}

// saveStreams writes the streams that changed back, and counts the transaction.
func (s *Store) saveStreams(ctx context.Context, c *conn, streams map[string]*stream) error {
	all, err := s.savingStreams(nil, streams)
	if err != nil {
		return err
	}
	return c.execAll(ctx, all)
}

// savingStreams appends the statements of saveStreams to others.
func (s *Store) savingStreams(all []statement, streams map[string]*stream) ([]statement, error) {
	var rows []streamRow
	for _, st := range streams {
		if st.changed {
			rows = append(rows, streamRow{st.id, st.lastSeq, st.lastNo, int64(st.lastTS), st.members})
		}
	}
	all, err := overRows(all, "save streams", s.sql.saveStreams, rows)
	if err == nil && s.d.count != "" && len(rows) > 0 {
		all = append(all, statement{what: "count transaction", query: s.d.count})
	}
	return all, err
}

type eventRow struct {
	StreamID   string `json:"stream_id"`
	Seq        int64  `json:"seq"`
	Op         string `json:"op"`
	TS         int64  `json:"ts"`
	ActorID    string `json:"actor_id"`
	Personal   int    `json:"personal"`
	Subject    string `json:"subject"`
	MessageID  string `json:"message_id"`
	MessageSeq int64  `json:"message_seq"`
	OpID       string `json:"op_id"`
	D          string `json:"d"`
}

// insertEvents writes events into the log.
func (s *Store) insertEvents(ctx context.Context, c *conn, opID string, events []chat.Event) error {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		d, err := storedPayload(e)
		if err != nil {
			return err
		}
		rows[i] = eventRow{StreamID: e.StreamID, Seq: e.Seq, Op: string(e.Op), TS: int64(e.TS), ActorID: e.ActorID,
			Personal: flag(e.Personal), Subject: e.Subject, MessageID: e.MessageID, MessageSeq: e.MessageSeq, OpID: opID, D: d}
	}
	return execRows(ctx, c, "insert events", s.sql.insertEvents, rows)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
