package persistencetest

import (
	"sync"
	"testing"

	"fechatter/chat"
)

func testCursors(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people...)
	for range 4 {
		f.send(c, people[0], "@bob hello")
	}
	set := func(u chat.User, read, delivered *int64) chat.CursorState {
		t.Helper()
		state, err := f.svc.SetCursor(f.t.Context(), u.ID, c.ID, chat.CursorChange{ReadSeq: read, DeliveredSeq: delivered})
		must(t, err)
		return state.CursorState
	}
	state := set(people[1], nil, new(int64(6)))
	equal(t, "delivered", state.DeliveredSeq, 6)
	equal(t, "unread", state.Unread, 4)
	state = set(people[1], new(int64(7)), nil)
	equal(t, "read implies delivered", state.DeliveredSeq, 7)
	equal(t, "unread", state.Unread, 1)
	equal(t, "mentions", state.Mentions, 1)
	state = set(people[1], new(int64(5)), new(int64(1)))
	equal(t, "only forward", state.ReadSeq, 7)
	equal(t, "counts without a move", state.Unread, 1)
	state = set(people[1], new(int64(1_000_000)), nil)
	equal(t, "at most the last seq", state.ReadSeq, 8)
	equal(t, "all read", state.Unread+state.Mentions, 0)
	list := pages(t, func(p chat.Page) ([]chat.Cursor, string, error) {
		return f.svc.Cursors(f.t.Context(), people[2].ID, c.ID, p)
	})
	equal(t, "cursors", len(list), 3)
	for _, v := range list {
		if v.UserID == people[1].ID {
			equal(t, "as others see it", v, state.Cursor)
		}
	}
	_, err := f.svc.SetCursor(f.t.Context(), f.user("dan").ID, c.ID, chat.CursorChange{ReadSeq: new(int64(1))})
	refused(t, err, chat.NotFound)
}

// testHiddenCursors: invisible people read on without showing it, but what they send
// shows that they were there.
func testHiddenCursors(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	for range 3 {
		f.send(c, people[0], "hello")
	}
	read := func(to int64, hidden bool) {
		t.Helper()
		m, err := f.svc.SetCursor(f.t.Context(), people[1].ID, c.ID, chat.CursorChange{ReadSeq: &to})
		must(t, err)
		equal(t, "hidden", m.Hidden, hidden)
		equal(t, "read", m.ReadSeq, to)
	}
	shown := func(to chat.User, want int64) {
		t.Helper()
		list, _, err := f.svc.Cursors(f.t.Context(), to.ID, c.ID, chat.Page{Limit: 10})
		must(t, err)
		for _, v := range list {
			if v.UserID == people[1].ID {
				equal(t, "read as shown to "+to.Username, v.ReadSeq, want)
				equal(t, "delivered as shown to "+to.Username, v.DeliveredSeq, want)
			}
		}
	}
	typing := func(u chat.User, hidden bool) {
		t.Helper()
		facts, err := f.svc.Typing(f.t.Context(), u.ID, c.ID)
		must(t, err)
		equal(t, "typing is hidden", facts.Hidden, hidden)
		equal(t, "as of", facts.LastSeq, f.entry(c, u).LastSeq)
	}
	read(4, false)
	shown(people[0], 4)
	typing(people[1], false)
	must(t, f.svc.SetPresence(f.t.Context(), people[1].ID, chat.Invisible, 0))
	read(6, true)
	shown(people[0], 4)
	shown(people[1], 6)
	typing(people[1], true)
	sent := f.send(c, people[1], "I was here all the time")
	shown(people[0], sent.Seq)

	_, err := f.svc.Typing(f.t.Context(), f.user("eve").ID, c.ID)
	refused(t, err, chat.NotFound)
	_, err = f.svc.UpdateChat(f.t.Context(), people[0].ID, c.ID, chat.ChatChange{Archived: new(true)})
	must(t, err)
	_, err = f.svc.Typing(f.t.Context(), people[0].ID, c.ID)
	refused(t, err, chat.Conflict)
}

// testCursorRace: of concurrent moves the furthest wins, and each answer is at least
// what was asked for. Sends to the chat, which move cursors too, go on meanwhile.
func testCursorRace(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan")
	c := f.group(people...)
	for range 40 {
		f.send(c, people[0], "@bob hello")
	}
	last := f.entry(c, people[0]).LastSeq
	var wg sync.WaitGroup
	const moves = 40
	for i := range moves {
		for _, u := range people[1:] {
			wg.Go(func() {
				to := last - int64(i)
				m, err := f.svc.SetCursor(f.t.Context(), u.ID, c.ID, chat.CursorChange{ReadSeq: &to, DeliveredSeq: &last})
				if err != nil || m.ReadSeq < to || m.DeliveredSeq < last || m.Members != len(people) || m.LastSeq < last {
					t.Errorf("moved to %d: %+v, %v", to, m, err)
				}
			})
		}
		wg.Go(func() {
			_, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: people[3].ID, Key: NewID(), Body: "and on"})
			fine(t, err)
		})
	}
	wg.Wait()
	for _, u := range people[1:3] {
		e := f.entry(c, u)
		equal(t, "read", e.ReadSeq, last)
		equal(t, "unread", e.Unread, moves)
		equal(t, "mentions", e.Mentions, 0)
	}
	equal(t, "the sender has read what it sent", f.entry(c, people[3]).Unread, 0)
}
