package e2e

import (
	"net/http"
	"testing"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
)

// TestOldBackupRestored puts the database back to an earlier state under running nodes
// and connected clients. Everybody learns from a reset, reason epoch, that what they
// hold is of another history; a chat that no longer exists is gone; and the other chat
// goes on from where the backup ended.
func TestOldBackupRestored(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	ada := client.SignUp(t, s.Nodes[0].URL(), "ada")
	bob := client.SignUp(t, s.Nodes[1].URL(), "bob")
	dan := client.SignUp(t, s.Nodes[2].URL(), "dan")
	id := ada.Group(bob, dan)
	kept := says(ada, id, 10)
	s.must(s.Postgres.Halt())
	s.must(s.Postgres.Keep(s.ctx))
	s.resume()

	inBoth, inOne := bob.Fresh(), dan.Fresh()
	lost := says(ada, id, 30)
	for _, socket := range []*client.Socket{inBoth, inOne} {
		socket.Until("the last before", func(f client.Frame) bool { return f.ChatID == id && f.Seq == lost })
	}
	later := ada.Group(bob)
	inBoth.Want("chat.joined")
	epoch := inOne.Seen[2].Field(t, "epoch")
	s.must(s.Postgres.Halt())
	s.must(s.Postgres.GoBack(s.ctx))
	// An operator runs `fechatter restored` before the nodes see the database.
	for _, n := range s.Nodes {
		n.Database.Set(proxy.Fault{Refuse: true})
	}
	s.must(s.Postgres.Resume(s.ctx))
	s.must(s.Command(s.ctx, "restored"))
	s.Heal()

	wantEpoch(t, inOne.Want("reset"), id, kept)
	// No frame says that a chat never existed: its members are sent to resume.
	inBoth.Closes(1013)
	back := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: lost, later: 3}})
	wantEpoch(t, back.Want("reset"), id, kept)
	back.Want("ready")
	if _, there := back.Entries()[later]; there {
		t.Error("a chat of the other history is still there")
	}
	s.ready()
	live := ada.Say(id, "after")
	if live != kept+1 {
		t.Errorf("the chat goes on at %d, want %d", live, kept+1)
	}
	for _, socket := range []*client.Socket{inOne, back} {
		if f := socket.Want("message.created"); f.Seq != live {
			t.Errorf("live goes on with %s", f.Raw)
		}
	}
	bob.Rest("GET", "/chats/"+later+"/messages", nil, http.StatusNotFound, nil)
}

// resume starts PostgreSQL and waits until the nodes are ready again.
func (s *scenario) resume() {
	s.t.Helper()
	s.must(s.Postgres.Resume(s.ctx))
	s.ready()
}

// says sends n messages and returns the last seq.
func says(p *client.Person, id string, n int) (last int64) {
	for range n {
		last = p.Say(id, "hello")
	}
	return last
}

func wantEpoch(t *testing.T, f client.Frame, id string, seq int64) {
	t.Helper()
	if f.ChatID != id || f.Seq != seq || f.Field(t, "reason") != "epoch" {
		t.Errorf("got %s, want a reset to %d, epoch", f.Raw, seq)
	}
}
