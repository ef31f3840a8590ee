package e2e

import (
	"net/http"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
)

// soon is the two seconds within which a node must see what the bus lost, and what a
// busy machine adds.
const soon = 2*time.Second + 5*time.Second

// TestPersonalEventsWithoutBus loses every message of the bus, with a server that looks
// well and with one that is gone: a user who is added, removed or logged out on another
// node hears of it within two seconds all the same.
func TestPersonalEventsWithoutBus(t *testing.T) {
	heavy(t)
	for name, lose := range map[string]func(*scenario){
		"all lost": func(s *scenario) { s.setNoise(proxy.Noise{Drop: 1}) },
		"gone":     func(s *scenario) { s.must(s.Nats[0].Kill()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, cluster.Config{})
			ada := client.SignUp(t, s.Nodes[0].URL(), "ada")
			bob := client.SignUp(t, s.Nodes[1].URL(), "bob")
			idle := ada.Group(bob)
			socket := bob.Fresh()
			lose(s)
			s.lasts(15 * time.Second) // the position check of a quiet chat backs off

			began := time.Now()
			id := ada.Group(bob)
			socket.Until("the new chat", func(f client.Frame) bool {
				return f.Op == "chat.joined" && f.Field(t, "chat", "id") == id
			})
			within(t, "joined", began)

			began = time.Now()
			var removal struct{ Seq int64 }
			ada.Rest("DELETE", "/chats/"+idle+"/members/"+bob.ID, nil, http.StatusOK, &removal)
			if f := socket.Want("chat.left"); f.Field(t, "seq") != float64(removal.Seq) {
				t.Errorf("got %s, removed at %d", f.Raw, removal.Seq)
			}
			within(t, "left", began)

			began = time.Now()
			other := bob.On(s.Nodes[2].URL())
			other.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
			socket.Closes(4500)
			within(t, "logged out", began)
		})
	}
}

func within(t *testing.T, what string, began time.Time) {
	t.Helper()
	took := time.Since(began).Round(time.Millisecond)
	t.Logf("%s after %s", what, took)
	if took > soon {
		t.Errorf("%s only after %s", what, took)
	}
}
