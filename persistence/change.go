package persistence

import (
	"context"
	"errors"
	"fmt"

	"fechatter/chat"
)

// maxDoubts is how many commits of one change may end without an answer.
const maxDoubts = 3

// Change implements chat.Store.
func (s *Store) Change(ctx context.Context, ch chat.Change, fn func(context.Context, chat.Tx) error) error {
	var doubt *changeTx
	for n := 0; ; n++ {
		t, err := s.change(ctx, ch, doubt, fn)
		if unknown := (*commitError)(nil); errors.As(err, &unknown) && n < maxDoubts {
			doubt = t
			continue
		}
		if doubt != nil && err != nil && !isRefusal(err) {
			return unknownOutcome(fmt.Errorf("change chat: %w", err))
		}
		return s.mapError(err, "change chat")
	}
}

func isRefusal(err error) bool { return errors.As(err, new(*chat.Error)) }

// change runs fn in one transaction, repeated while the database asks for it.
// doubt is the attempt whose commit is in doubt: if it took place, its events
// are published and fn does not run.
func (s *Store) change(ctx context.Context, ch chat.Change, doubt *changeTx,
	fn func(context.Context, chat.Tx) error) (t *changeTx, err error) {
	err = s.retry(ctx, true, func() error {
		t = &changeTx{s: s, change: ch}
		return s.write(ctx, s.pools.write, func(c *conn) ([]chat.Event, error) {
			t.c = c
			if err := t.lock(ctx); err != nil {
				return nil, err
			}
			if done, err := t.stored(ctx, doubt); err != nil || done {
				return t.events, err
			}
			if err := fn(ctx, t); err != nil {
				return nil, err
			}
			return t.events, t.flush(ctx)
		})
	})
	return t, err
}

// changeTx is a chat.Tx. Its events and streams are written at the end at once.
type changeTx struct {
	s       *Store
	c       *conn
	change  chat.Change
	now     chat.Time
	streams map[string]*stream
	events  []chat.Event
}

func (t *changeTx) lock(ctx context.Context) (err error) {
	ids := t.change.UserIDs
	if !t.change.New {
		ids = append([]string{t.change.ChatID}, ids...)
	}
	if t.streams, err = t.s.lockStreams(ctx, t.c, ids, t.s.d.lock); err != nil {
		return err
	}
	t.now, err = t.s.clock(ctx, t.c)
	return err
}

func (t *changeTx) flush(ctx context.Context) error {
	if err := t.s.insertEvents(ctx, t.c, t.change.OpID, t.events); err != nil {
		return err
	}
	return t.s.saveStreams(ctx, t.c, t.streams)
}

// ChatID implements chat.ChatTx.
func (t *changeTx) ChatID() string { return t.change.ChatID }

// stream is the chat's stream; not_found before InsertChat has made it.
func (t *changeTx) stream() (*stream, error) {
	if st := t.streams[t.change.ChatID]; st != nil {
		return st, nil
	}
	return nil, noChat()
}

// Now implements chat.EventTx.
func (t *changeTx) Now() chat.Time {
	if st := t.streams[t.change.ChatID]; st != nil {
		return later(t.now, st.lastTS)
	}
	return t.now
}

// Append implements chat.EventTx.
func (t *changeTx) Append(_ context.Context, e chat.Event) (int64, error) {
	st, err := t.stream()
	if err != nil {
		return 0, err
	}
	e.StreamID = st.id
	e.Seq, e.TS = st.next(t.now)
	t.events = append(t.events, e)
	return e.Seq, nil
}

// AppendPersonal implements chat.EventTx.
func (t *changeTx) AppendPersonal(_ context.Context, userID string, e chat.Event) error {
	st := t.streams[userID]
	if st == nil || userID == t.change.ChatID {
		return fmt.Errorf("append personal event: the stream of user %s is not locked", userID)
	}
	t.events = append(t.events, st.personal(t.now, e))
	return nil
}

// personal gives an event its place in a user's stream.
func (st *stream) personal(now chat.Time, e chat.Event) chat.Event {
	e.StreamID, e.Personal = st.id, true
	e.Seq, e.TS = st.next(now)
	return e
}
