package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	protocol "fechatter/client"
	"fechatter/conform/client"
)

// TestResumeOfManyChats resumes as many chats as a user may have, while messages are
// sent. The client does not read at first: the server has said where the chats stand
// and still holds most of that in its hands. What is sent then must reach the client
// all the same, once and in order.
func TestResumeOfManyChats(t *testing.T) {
	t.Parallel()
	const chats, late = 2000, 20
	n := start(t, t.TempDir())
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	long := strings.Repeat("字", 1000) // more than the buffers of a socket take
	ids, want, cursors := []string{}, map[string][]int64{}, map[string]any{}
	for _, n := range []int{late, chats - late} { // the first are the least recently active
		for i, id := range makeChats(t, ada, bob, long, n) {
			if i%2 == 0 { // the others start fresh
				cursors[id] = 3
			}
			if i%20 == 0 {
				want[id] = append(want[id], ada.Say(id, "missed"))
			}
			ids = append(ids, id)
		}
	}
	s := bob.DialSlow()
	s.Say("r", "resume", map[string]any{"cursors": cursors})
	s.Want("chats")
	for _, id := range ids[:late] { // attached last
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

// makeChats makes groups of two, some at once. The other one accepts each: no more than
// 200 requests wait for anybody.
func makeChats(t *testing.T, p, other *client.Person, topic string, n int) []string {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(8)
	c, accepts := protocol.Client{URL: p.URL, Token: p.Token}, protocol.Client{URL: other.URL, Token: other.Token}
	ids := make([]string, n)
	for i := range ids {
		all.Go(func() error {
			var chat struct{ ID string }
			err := c.Call(t.Context(), http.MethodPost, "/chats", map[string]any{"kind": "group", "topic": topic, "member_ids": []string{other.ID}}, &chat)
			if ids[i] = chat.ID; err != nil {
				return err
			}
			return accepts.Call(t.Context(), http.MethodPost, "/chats/"+chat.ID+"/accept", nil, nil)
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	return ids
}
