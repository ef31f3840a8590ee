package e2e

import (
	"net/http"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
)

// TestRemovalWhileFrozen suspends a node while 600 events come, more than a stream keeps
// out of order or repairs at once, and among them the removal of a member who is
// connected there. When the node goes on, that member gets nothing from after the
// removal.
func TestRemovalWhileFrozen(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	ada := client.SignUp(t, s.Nodes[1].URL(), "ada")
	bob := client.SignUp(t, s.Nodes[0].URL(), "bob")
	eve := client.SignUp(t, s.Nodes[0].URL(), "eve")
	for range 6 {
		id, other := ada.Group(bob, eve), ada.Group(bob)
		removed, stays := bob.Fresh(), eve.Fresh()
		if s.rng.IntN(2) == 0 {
			s.Nodes[0].Buses[0].SetNoise(proxy.Noise{Drop: 0.3})
		}
		s.must(s.Nodes[0].Freeze())
		before := 1 + s.rng.IntN(598)
		talk(t, ada, id, before)
		var removal struct{ Seq int64 }
		ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, &removal)
		talk(t, ada, id, 599-before)
		s.lasts(s.between(0, 4*time.Second))
		s.must(s.Nodes[0].Thaw())
		talk(t, ada, id, 20)
		last := ada.Say(id, "after all")

		left := removed.Want("chat.left")
		if got := left.Field(t, "seq"); got != float64(removal.Seq) {
			t.Errorf("chat.left at %v, want %d", got, removal.Seq)
		}
		stays.Until("the last event or a reset", func(f client.Frame) bool { return f.ChatID == id && f.Seq >= last })
		mark := ada.Say(other, "mark")
		removed.Until("what follows in another chat", func(f client.Frame) bool { return f.ChatID == other && f.Seq == mark })
		for _, seq := range removed.Seqs(id) {
			if seq > removal.Seq {
				t.Fatalf("seed %d: removed at %d, but got %d", s.seed, removal.Seq, seq)
			}
		}
		s.Heal()
	}
}

// talk sends messages over one connection as fast as the server accepts them.
func talk(t *testing.T, p *client.Person, id string, n int) {
	t.Helper()
	socket := p.Dial()
	for range n {
		key := client.NewKey()
		socket.Say(key, "message.send", map[string]any{"chat_id": id, "key": key, "body": "hello"})
	}
	for range n {
		if f := socket.Until("an ack", func(f client.Frame) bool { return f.Re != nil }); f.Op != "ok" {
			t.Fatalf("answered %s", f.Raw)
		}
	}
}
