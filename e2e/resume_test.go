package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"fechatter/conform/client"
)

// TestResumeOfManyChats resumes as many chats as a user may have, while messages
// are sent. The client does not read at first: the server has told it where the
// chats are and waits with most of that in its hands. What is sent then must
// reach the client all the same, in order, once.
func TestResumeOfManyChats(t *testing.T) {
	const chats, late = 2000, 20
	n := start(t, t.TempDir())
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	long := strings.Repeat("字", 1000) // more than the buffers of a socket take
	ids, want, cursors := []string{}, map[string][]int64{}, map[string]any{}
	for i := range chats {
		var c struct{ ID string }
		ada.Rest("POST", "/chats", map[string]any{"kind": "group", "topic": long, "member_ids": []string{bob.ID}}, http.StatusCreated, &c)
		ids = append(ids, c.ID)
		if i%2 == 0 { // the others start fresh
			cursors[c.ID] = 3
		}
		if i%20 == 0 {
			want[c.ID] = append(want[c.ID], ada.Say(c.ID, "missed"))
		}
	}
	s := bob.DialSlow()
	s.Say("r", "resume", map[string]any{"cursors": cursors})
	s.Want("chats")
	for _, id := range ids[:late] { // the least recently active: attached last
		want[id] = append(want[id], ada.Say(id, "meanwhile"))
	}
	s.Want("ready")
	if got := len(s.Entries()); got != chats {
		t.Fatalf("%d entries", got)
	}
	last := want[ids[late-1]]
	for got := s.Seqs(ids[late-1]); len(got) == 0 || got[len(got)-1] < last[len(last)-1]; got = s.Seqs(ids[late-1]) {
		s.Until("the last event", func(f client.Frame) bool { return f.ChatID == ids[late-1] })
	}
	for i, id := range ids {
		if got := s.Seqs(id); !slices.Equal(got, want[id]) {
			t.Fatalf("chat %d: saw %v, want %v", i, got, want[id])
		}
	}
}
