package persistencetest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fechatter/chat"
)

// naive counts unread messages by looking at every message.
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
			return // a round is hundreds of transactions, and rapid cannot run fewer
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
