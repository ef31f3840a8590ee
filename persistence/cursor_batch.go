package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

const (
	// maxCursors is how many cursors one commit stores.
	maxCursors = 256
	// maxCursorSkips is how often a cursor is left to the next commit because somebody
	// else holds its row: about 5 s.
	maxCursorSkips = 50
)

// runCursors commits moves of cursors until ctx ends, then commits what is left.
// Everybody in a chat reads each message: without a pause between them, there
// would be many more commits of cursors than of messages.
func (s *Store) runCursors(ctx context.Context) {
	work := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		select {
		case <-s.cursors.wake:
		case <-ctx.Done():
			continue
		}
		s.commitWaiting(work)
		select {
		case <-time.After(s.cfg.CursorsEvery):
		case <-ctx.Done():
		}
	}
	s.cursors.close()
	work, cancel := context.WithTimeout(work, flushTimeout)
	defer cancel()
	s.commitWaiting(work)
	for _, m := range s.cursors.pop(s.cfg.QueueLength) { // put back after the last commit
		m.answer(cursorOutcome{err: unavailable(nil, "this node is stopping")})
	}
}

// commitWaiting commits what waits now, maxCursors at a time.
func (s *Store) commitWaiting(ctx context.Context) {
	var held []*cursorMove
	for moves := s.cursors.pop(maxCursors); len(moves) > 0; moves = s.cursors.pop(maxCursors) {
		held = append(held, s.commitCursors(ctx, moves)...)
	}
	s.cursors.putBack(held)
}

// commitCursors answers every move except those whose rows others held, which it
// returns.
func (s *Store) commitCursors(ctx context.Context, moves []*cursorMove) (held []*cursorMove) {
	b, err := s.tryCursors(ctx, moves)
	if unknown := (*commitError)(nil); errors.As(err, &unknown) {
		b, err = s.tryCursors(ctx, moves) // moving to the same place twice does no harm
	}
	s.stats.cursorBatches.Add(1)
	for _, m := range moves {
		o, there := b.outcomes[m]
		switch {
		case err != nil:
			m.answer(cursorOutcome{err: s.mapError(err, "save cursor")})
		case there:
			m.answer(o)
		case m.skips >= maxCursorSkips:
			m.answer(cursorOutcome{err: unavailable(nil, "the cursor is locked")})
		default:
			m.skips++
			held = append(held, m)
		}
	}
	return held
}

func (s *Store) tryCursors(ctx context.Context, moves []*cursorMove) (b *cursorBatch, err error) {
	err = s.retry(ctx, false, func() error {
		b = &cursorBatch{s: s, outcomes: map[*cursorMove]cursorOutcome{}, byKey: map[[2]string]*cursorMove{}}
		return s.write(ctx, s.pools.write, func(c *conn) ([]chat.Event, error) {
			return nil, contained(func() error { return b.store(ctx, c, moves) })
		})
	})
	return b, err
}

// cursorBatch is an attempt to commit moves together.
type cursorBatch struct {
	s        *Store
	byKey    map[[2]string]*cursorMove
	outcomes map[*cursorMove]cursorOutcome // without those of rows that others hold
}

// memberRow names a member in a set.
type memberRow struct {
	UserID  string `json:"user_id"`
	ChatID  string `json:"chat_id"`
	ReadSeq int64  `json:"read_seq"`
}

// cursorSave is a row of chat_members as it will be.
type cursorSave struct {
	UserID       string `json:"user_id"`
	ChatID       string `json:"chat_id"`
	ReadSeq      int64  `json:"read_seq"`
	ReadNo       int64  `json:"read_no"`
	DeliveredSeq int64  `json:"delivered_seq"`

	ShownReadSeq      int64 `json:"shown_read_seq"`
	ShownDeliveredSeq int64 `json:"shown_delivered_seq"`
}

// store locks the rows that are free, reads them with a later statement and moves
// them. It never waits for a row while it holds others, since sends lock the same
// rows in another order.
func (b *cursorBatch) store(ctx context.Context, c *conn, moves []*cursorMove) error {
	rows := make([]memberRow, len(moves))
	for i, m := range moves {
		b.byKey[[2]string{m.userID, m.chatID}] = m
		rows[i] = memberRow{UserID: m.userID, ChatID: m.chatID}
	}
	free, err := b.lock(ctx, c, rows)
	if err != nil {
		return err
	}
	reads, err := b.read(ctx, c, free)
	if err != nil {
		return err
	}
	if err := b.move(ctx, c, reads); err != nil {
		return err
	}
	return b.count(ctx, c, reads)
}

// lock returns the rows that it could lock, and refuses moves without a row.
func (b *cursorBatch) lock(ctx context.Context, c *conn, rows []memberRow) ([]memberRow, error) {
	there, err := rowsOf(ctx, c, scanMemberRow, b.s.sql.members, rows)
	if err != nil {
		return nil, fmt.Errorf("look for members: %w", err)
	}
	for _, r := range rows {
		b.outcomes[b.of(r)] = cursorOutcome{err: noChat()}
	}
	for _, r := range there {
		delete(b.outcomes, b.of(r))
	}
	if b.s.d.skipLocked == "" {
		return there, nil
	}
	free, err := rowsOf(ctx, c, scanMemberRow, b.s.sql.members+b.s.d.skipLocked, there)
	if err != nil {
		return nil, fmt.Errorf("lock members: %w", err)
	}
	return free, nil
}

func (b *cursorBatch) of(r memberRow) *cursorMove { return b.byKey[[2]string{r.UserID, r.ChatID}] }

func scanMemberRow(rows *sql.Rows, r *memberRow) error { return rows.Scan(&r.UserID, &r.ChatID) }

// rowsOf runs a query over a set of rows, unless the set is empty.
func rowsOf[R, T any](ctx context.Context, c *conn, scan func(*sql.Rows, *T) error, query string, rows []R) ([]T, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	encoded, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	return collect(ctx, c, scan, query, string(encoded))
}

// read reads the cursors and applies the moves to them.
func (b *cursorBatch) read(ctx context.Context, c *conn, rows []memberRow) ([]*cursorRead, error) {
	reads, err := rowsOf(ctx, c, scanCursor, b.s.sql.cursors, rows)
	if err != nil {
		return nil, fmt.Errorf("read cursors: %w", err)
	}
	list := make([]*cursorRead, len(reads))
	for i := range reads {
		r := &reads[i]
		r.apply(b.byKey[[2]string{r.UserID, r.chatID}].change)
		list[i] = r
	}
	return list, nil
}

// memberCount is a count for one member.
type memberCount struct {
	userID, chatID string
	count          int64
}

func scanCount(rows *sql.Rows, n *memberCount) error {
	return rows.Scan(&n.userID, &n.chatID, &n.count)
}

// move writes what moved, after it has looked up how many messages lie behind.
func (b *cursorBatch) move(ctx context.Context, c *conn, reads []*cursorRead) error {
	err := b.figures(ctx, c, b.s.sql.readNumbers, reads, func(r *cursorRead, no int64) {
		if r.readMoved {
			r.readNo = no
		}
	})
	if err != nil {
		return fmt.Errorf("number the last messages read: %w", err)
	}
	var saves []cursorSave
	for _, r := range reads {
		if r.Moved {
			saves = append(saves, cursorSave{r.UserID, r.chatID, r.ReadSeq, r.readNo, r.DeliveredSeq, r.shownRead, r.shownDelivered})
		}
	}
	return execRows(ctx, c, "move cursors", b.s.sql.saveCursors, saves)
}

// count fills in what is unread now and sets the outcomes of the moves.
func (b *cursorBatch) count(ctx context.Context, c *conn, reads []*cursorRead) error {
	err := b.figures(ctx, c, b.s.sql.mentionCounts, reads, func(r *cursorRead, mentions int64) { r.Mentions = mentions })
	if err != nil {
		return fmt.Errorf("count mentions: %w", err)
	}
	for _, r := range reads {
		r.Unread = r.lastNo - r.readNo
		b.outcomes[b.byKey[[2]string{r.UserID, r.chatID}]] = cursorOutcome{moved: r.CursorMoved}
	}
	return nil
}

// figures passes the count that a query finds for each cursor to set.
func (b *cursorBatch) figures(ctx context.Context, c *conn, query string, reads []*cursorRead, set func(*cursorRead, int64)) error {
	byKey := map[[2]string]*cursorRead{}
	rows := make([]memberRow, len(reads))
	for i, r := range reads {
		byKey[[2]string{r.UserID, r.chatID}] = r
		rows[i] = memberRow{r.UserID, r.chatID, r.ReadSeq}
	}
	figures, err := rowsOf(ctx, c, scanCount, query, rows)
	for _, f := range figures {
		set(byKey[[2]string{f.userID, f.chatID}], f.count)
	}
	return err
}
