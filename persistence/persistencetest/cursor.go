package persistencetest

import (
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

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

// testHiddenCursors: who is invisible reads on without showing it, but what
// they send shows that they were there.
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

// testCursorRace: of moves at once the furthest stays, and each answer is at
// least what was asked for. Sends to the chat, which move cursors too, go on
// meanwhile.
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
		wg.Go(func() { f.send(c, people[3], "and on") })
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

// naive counts what a user has not read by looking at every event.
type naive struct {
	read, added map[string]int64
	messages    []naiveMessage
}

type naiveMessage struct {
	id, sender string
	seq        int64
	mentions   map[string]bool
	version    int64
}

func (n *naive) unread(user string) (unread, mentions int64) {
	for _, m := range n.messages {
		if m.sender != user && m.seq > n.read[user] {
			unread++
		}
		if m.seq > n.read[user] && (m.mentions[user] || m.mentions["all"]) {
			mentions++
		}
	}
	return unread, mentions
}

// testUnread compares the store's counts with the naive ones after random
// sends, edits, deletions, readings, removals and readmissions.
func testUnread(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		if rounds++; rounds > 12 {
			return // a round is hundreds of transactions; rapid has no smaller number
		}
		c := f.group(people...)
		n := &naive{read: map[string]int64{}, added: map[string]int64{}}
		for _, u := range people {
			e := f.entry(c, u)
			n.read[u.ID], n.added[u.ID] = e.ReadSeq, e.AddedSeq
		}
		for range rapid.IntRange(5, 30).Draw(r, "steps") {
			f.step(r, c, people, n)
		}
		for _, u := range people {
			if n.added[u.ID] == 0 {
				continue
			}
			unread, mentions := n.unread(u.ID)
			e := f.entry(c, u)
			if e.Unread != unread || e.Mentions != mentions || e.ReadSeq != n.read[u.ID] {
				r.Fatalf("%s: unread %d mentions %d read %d, want %d %d %d", u.Username,
					e.Unread, e.Mentions, e.ReadSeq, unread, mentions, n.read[u.ID])
			}
		}
	})
}

// step does one random thing, in the store and in the naive model.
func (f *fixture) step(r *rapid.T, c chat.Chat, people []chat.User, n *naive) {
	u := rapid.SampledFrom(people).Draw(r, "user")
	bodies := map[string][]string{"hello": nil, "@ann": {people[0].ID}, "@bob and @cat": {people[1].ID, people[2].ID},
		"@all @bob": {"all", people[1].ID}}
	body := rapid.SampledFrom([]string{"hello", "@ann", "@bob and @cat", "@all @bob"}).Draw(r, "body")
	mentions := map[string]bool{}
	for _, id := range bodies[body] {
		if id == "all" || n.added[id] > 0 {
			mentions[id] = true
		}
	}
	member := n.added[u.ID] > 0
	switch rapid.SampledFrom([]string{"send", "send", "send", "read", "edit", "delete", "move"}).Draw(r, "what") {
	case "send":
		if member {
			sent := f.send(c, u, body)
			n.messages = append(n.messages, naiveMessage{sent.MessageID, u.ID, sent.Seq, mentions, 1})
			n.read[u.ID] = sent.Seq
		}
	case "read":
		if member {
			to := rapid.Int64Range(0, 60).Draw(r, "to")
			state, err := f.svc.SetCursor(f.t.Context(), u.ID, c.ID, chat.CursorChange{ReadSeq: &to})
			must(f.t, err)
			n.read[u.ID] = max(n.read[u.ID], min(to, f.entry(c, u).LastSeq))
			unread, _ := n.unread(u.ID)
			equal(f.t, "counts of the answer", fmt.Sprint(state.ReadSeq, state.Unread), fmt.Sprint(n.read[u.ID], unread))
		}
	case "edit", "delete":
		f.rewrite(r, n, body, mentions)
	case "move":
		f.comeOrGo(c, people[0], u, n)
	}
}

func (f *fixture) rewrite(r *rapid.T, n *naive, body string, mentions map[string]bool) {
	if len(n.messages) == 0 {
		return
	}
	m := &n.messages[rapid.IntRange(0, len(n.messages)-1).Draw(r, "message")]
	if n.added[m.sender] == 0 || m.version == 0 {
		return
	}
	if rapid.Bool().Draw(r, "delete") {
		_, err := f.svc.Delete(f.t.Context(), m.sender, m.id)
		must(f.t, err)
		m.mentions, m.version = nil, 0
		return
	}
	_, _, err := f.svc.Edit(f.t.Context(), m.sender, m.id, body, m.version)
	must(f.t, err)
	m.mentions, m.version = mentions, m.version+1
}

func (f *fixture) comeOrGo(c chat.Chat, owner, u chat.User, n *naive) {
	if u.ID == owner.ID {
		return
	}
	if n.added[u.ID] > 0 {
		_, err := f.svc.RemoveMember(f.t.Context(), owner.ID, c.ID, u.ID)
		must(f.t, err)
		n.added[u.ID] = 0
		return
	}
	m, _, err := f.svc.AddMember(f.t.Context(), owner.ID, c.ID, u.ID, "")
	must(f.t, err)
	n.added[u.ID], n.read[u.ID] = m.AddedSeq, m.AddedSeq
}
