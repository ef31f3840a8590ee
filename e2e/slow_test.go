package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestSlowReceiver puts one client that does not read among 500 that do. The others do
// not notice; the server closes it when its backlog is over the limit, long before it
// has everything, and it has no hole when it comes back.
func TestSlowReceiver(t *testing.T) {
	heavy(t)
	const flood, size = 1500, 12 << 10
	s := begin(t, cluster.Config{})
	s.people(load.Config{People: 25, Devices: 20, Movable: -1, Chats: 1, Pace: 250 * time.Millisecond})
	s.eventually("at 500 connections", func() bool { return s.load.Live() == 500 })
	ada := client.SignUp(t, s.Nodes[1].URL(), "ada")
	bob := client.SignUp(t, s.Nodes[0].URL(), "bob")
	s.must(s.load.Admit(s.ctx, bob.ID))
	id := ada.Group(bob)
	slow := past(s.Nodes[0], bob).DialSlow()
	slow.Say("r", "resume", map[string]any{})
	slow.Want("ready")

	quick := bob.Fresh()
	floods(t, ada, id, flood, strings.Repeat("x", size))
	quick.Until("the last of the flood", func(f client.Frame) bool { return f.ChatID == id && f.Seq == 3+flood })
	s.sends(100)
	code, err := slow.End()
	held := slices.Max(append(slow.Seqs(id), 3)) // three events made the chat
	last := lastSeq(t, ada, id)
	t.Logf("closed with %d (%v) at %d of %d", code, err, held, last)
	if held == last {
		t.Error("the slow client was not closed before it had everything")
	}

	back := bob.Connect(map[string]any{"cursors": map[string]any{id: held}})
	reset := back.Want("reset")
	back.Want("ready")
	if reset.ChatID != id || reset.Seq != last || reset.Field(t, "reason") != "too_far" {
		t.Errorf("came back to %s, want too_far at %d", reset.Raw, last)
	}
	if live := ada.Say(id, "live"); back.Until("live", func(f client.Frame) bool { return f.ChatID == id && f.Seq == live }).Op != "message.created" {
		t.Error("not live")
	}
	s.judge()
}

// past returns a person who meets the node without its proxy, whose sockets take in megabytes for
// a client that reads nothing.
func past(n *cluster.Node, p *client.Person) *client.Person {
	direct := *p
	direct.URL = n.Direct()
	return &direct
}

// floods sends messages over several connections.
func floods(t *testing.T, p *client.Person, id string, n int, body string) {
	t.Helper()
	var sockets []*client.Socket
	for range 8 {
		sockets = append(sockets, p.Dial())
	}
	for i := range n {
		sockets[i%8].Say(fmt.Sprint(i), "message.send", map[string]any{"chat_id": id, "key": client.NewKey(), "body": body})
	}
	for i := range n {
		if f := sockets[i%8].Until("an ack", func(f client.Frame) bool { return f.Re != nil }); f.Op != "ok" {
			t.Fatalf("answered %s", f.Raw)
		}
	}
}

func lastSeq(t *testing.T, p *client.Person, id string) int64 {
	t.Helper()
	var page struct {
		LastSeq int64 `json:"last_seq"`
	}
	p.Rest("GET", "/chats/"+id+"/messages?limit=1", nil, http.StatusOK, &page)
	return page.LastSeq
}
