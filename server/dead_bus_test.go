package server_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"
	"fechatter/e2e/proxy"

	"github.com/nats-io/nats-server/v2/server"
)

// startDeaf runs two nodes on one PostgreSQL, each with a bus of its own: what
// one publishes never reaches the other.
func startDeaf(t *testing.T) (a, b *node) {
	t.Helper()
	return startTwo(t, "embedded:")
}

// startTwo runs two nodes on one PostgreSQL.
func startTwo(t *testing.T, nats string) (a, b *node) {
	t.Helper()
	url := onPostgres(t)
	with := func(c *app.Config) { c.Database, c.Nats = url, nats }
	return startNode(t, with), startNode(t, with)
}

// Another node adds a user to a chat, and every hint of it is lost. It is seen all the
// same; how soon is tested in package hub.
func TestInvitationIsSeenWhileTheBusLosesEverything(t *testing.T) {
	t.Parallel()
	a, b := startDeaf(t)
	ada, bob := client.SignUp(t, a.url, "ada"), client.SignUp(t, a.url, "bob")
	socket, stream := bob.On(b.url).Fresh(), bob.On(b.url).Stream("")
	stream.Want("ready")
	for round := range 2 {
		id := ada.Group(bob)
		began := time.Now()
		for _, s := range []interface{ Want(string) client.Frame }{socket, stream} {
			f := s.Want("chat.joined")
			if got := f.Field(t, "chat", "id"); got != id {
				t.Fatalf("round %d: joined %v, want %s", round, got, id)
			}
			t.Logf("round %d: seen after %s", round, time.Since(began))
		}
		seq := ada.Say(id, fmt.Sprint("hello ", round))
		if f := socket.Want("message.created"); f.ChatID != id || f.Seq != seq {
			t.Errorf("round %d: heard %s", round, f.Raw)
		}
	}
}

// Another node revokes a session, and every hint of it is lost. The session's sockets
// and streams end; those of the user's other sessions are informed and stay.
func TestRevocationClosesWhileTheBusLosesEverything(t *testing.T) {
	t.Parallel()
	a, b := startDeaf(t)
	ada := client.SignUp(t, a.url, "ada")
	phone := ada.As(t, ada.Login("phone")).On(b.url)
	laptop := ada.On(b.url).Fresh()
	socket, stream := phone.Fresh(), phone.Stream("")
	idle := phone.Dial() // has not resumed
	stream.Want("ready")

	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	ada.Rest("GET", "/sessions", nil, http.StatusOK, &list)
	for _, s := range list.Sessions {
		if !s.Current {
			ada.Rest("DELETE", "/sessions/"+s.ID, nil, http.StatusNoContent, nil)
		}
	}
	began := time.Now()
	var all sync.WaitGroup
	for what, ends := range map[string]func(){
		"socket": func() { socket.Closes(4500) }, "idle socket": func() { idle.Closes(4500) }, "stream": stream.Ends,
	} {
		all.Go(func() {
			ends()
			t.Logf("%s ended after %s", what, time.Since(began))
		})
	}
	all.Wait()
	laptop.Want("session.revoked")
	laptop.OK("ping", map[string]any{})
}

// health returns the status of a node and of its NATS.
func (n *node) health(t *testing.T) (status int, nats string) {
	t.Helper()
	a := client.Do(t, "GET", n.url+"/health", nil, nil)
	var report struct {
		Checks map[string][]struct{ Status string }
	}
	a.Read(t, &report)
	if c := report.Checks["nats:responseTime"]; len(c) > 0 {
		nats = c[0].Status
	}
	return a.Status, nats
}

// awaitHealth polls: the node checks its parts once a second.
func (n *node) awaitHealth(t *testing.T, nats string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		status, got := n.health(t)
		if status == http.StatusOK && got == nats {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %d, nats %q; want 200 and %q", status, got, nats)
		}
	}
}

// There is no NATS when the nodes start. They are ready all the same, and messages get
// from one to the other; when NATS comes, they find it.
func TestNodesStartWithoutNATS(t *testing.T) {
	t.Parallel()
	edge, err := proxy.Listen() // refuses connections until it has a target
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(edge.Close)
	a, b := startTwo(t, "nats://"+edge.Addr())
	a.awaitHealth(t, "warn")
	b.awaitHealth(t, "warn")

	ada, bob := client.SignUp(t, a.url, "ada"), client.SignUp(t, a.url, "bob")
	id := ada.Group(bob)
	socket := bob.On(b.url).Fresh()
	hear := func(count int) (longest time.Duration) {
		for i := range count {
			seq := ada.Say(id, fmt.Sprint("message ", i))
			began := time.Now()
			if f := socket.Want("message.created"); f.Seq != seq {
				t.Fatalf("heard %s, want seq %d", f.Raw, seq)
			}
			longest = max(longest, time.Since(began))
		}
		return longest
	}
	t.Logf("without NATS a message takes up to %s", hear(10))

	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(func() { nats.Shutdown(); nats.WaitForShutdown() })
	if !nats.ReadyForConnections(time.Minute) {
		t.Fatal("NATS does not start")
	}
	edge.Target("tcp", nats.Addr().String())
	a.awaitHealth(t, "pass")
	b.awaitHealth(t, "pass")
	t.Logf("with NATS a message takes up to %s", hear(10))
}
