package persistence

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// change runs fn in one transaction and repeats it while the database asks for
// that. doubt is the attempt whose commit is in doubt: if it was committed, its
// events are published and fn does not run.
func (s *Store) change(ctx context.Context, ch chat.Change, doubt *changeTx,
	fn func(context.Context, chat.Tx) error) (t *changeTx, err error) {
	err = s.retry(ctx, true, func() error {
		t = &changeTx{s: s, change: ch, log: &changeLog{}}
		return s.write(ctx, s.pools.write, func(c *conn) ([]chat.Event, error) {
			t.c = c
			if err := t.lock(ctx); err != nil {
				return nil, err
			}
			if done, err := t.stored(ctx, doubt); err != nil || done {
				return t.log.events, err
			}
			if err := fn(ctx, t); err != nil {
				return nil, err
			}
			return t.log.events, t.flush(ctx)
		})
	})
	return t, err
}

// changeTx is a chat.Tx. Its events and streams are written together at the end.
type changeTx struct {
	s       *Store
	c       *conn
	change  chat.Change
	now     chat.Time
	beside  []string // chats of requests that may have to make room
	streams map[string]*stream
	log     *changeLog
}

// changeLog is what a transaction has appended, on whatever chat.
type changeLog struct{ events []chat.Event }

// Beside implements chat.Tx.
func (t *changeTx) Beside(chatID string) (chat.Tx, error) {
	if t.streams[chatID] == nil || !slices.Contains(t.beside, chatID) {
		return nil, fmt.Errorf("the stream of chat %s is not locked", chatID)
	}
	other := *t
	other.change.ChatID, other.change.New = chatID, false
	return &other, nil
}

func (t *changeTx) lock(ctx context.Context) (err error) {
	if t.beside, err = t.lockInboxes(ctx); err != nil {
		return err
	}
	ids := t.change.UserIDs
	if !t.change.New {
		ids = append([]string{t.change.ChatID}, ids...)
	}
	ids = append(slices.Clip(ids), t.beside...)
	if t.streams, err = t.s.lockStreams(ctx, t.c, ids, t.s.d.lock); err != nil {
		return err
	}
	t.now, err = t.s.clock(ctx, t.c)
	return err
}

// stored reports, under the lock, whether the attempt in doubt was committed.
func (t *changeTx) stored(ctx context.Context, doubt *changeTx) (bool, error) {
	if doubt == nil || len(doubt.log.events) == 0 {
		return false, nil
	}
	first := doubt.log.events[0]
	var found bool
	err := t.c.one(ctx, "SELECT count(*) > 0 FROM events WHERE stream_id = $1 AND seq = $2 AND op_id = $3",
		[]any{first.StreamID, first.Seq, t.change.OpID}, &found)
	if err != nil {
		return false, fmt.Errorf("look for the change in doubt: %w", err)
	}
	if found {
		t.log = doubt.log
	}
	return found, nil
}

func (t *changeTx) flush(ctx context.Context) error {
	if err := t.s.insertEvents(ctx, t.c, t.change.OpID, t.log.events); err != nil {
		return err
	}
	return t.s.saveStreams(ctx, t.c, t.streams)
}

// ChatID implements chat.ChatTx.
func (t *changeTx) ChatID() string { return t.change.ChatID }

// stream returns the chat's stream; not_found before InsertChat has made it.
func (t *changeTx) stream() (*stream, error) {
	if st := t.streams[t.change.ChatID]; st != nil {
		return st, nil
	}
	return nil, noChat()
}

// Now implements chat.EventTx.
func (t *changeTx) Now() chat.Time {
	if st := t.streams[t.change.ChatID]; st != nil {
		return max(t.now, st.lastTS)
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
	t.log.events = append(t.log.events, e)
	return e.Seq, nil
}

// Members implements chat.EventTx.
func (t *changeTx) Members() int {
	st, err := t.stream()
	if err != nil {
		return 0
	}
	return int(st.members)
}

// AppendPersonal implements chat.EventTx.
func (t *changeTx) AppendPersonal(_ context.Context, userID string, e chat.Event) error {
	st := t.streams[userID]
	if st == nil || userID == t.change.ChatID {
		return fmt.Errorf("append personal event: the stream of user %s is not locked", userID)
	}
	t.log.events = append(t.log.events, st.personal(t.now, e))
	return nil
}

// personal assigns a place in a user's stream to an event.
func (st *stream) personal(now chat.Time, e chat.Event) chat.Event {
	e.StreamID, e.Personal = st.id, true
	e.Seq, e.TS = st.next(now)
	return e
}
