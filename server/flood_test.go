package server_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"fechatter/conform/client"
)

// Who floods one connection after the other is not let in again, and everybody else is.
func TestFloodersAreRefused(t *testing.T) {
	n := startNode(t)
	eve, ann := client.SignUp(t, n.url, "eve"), client.SignUp(t, n.url, "ann")
	flood := func() (letIn bool) {
		s := client.Dial(t, n.url, http.Header{"Authorization": {"Bearer " + eve.Token}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var pings sync.WaitGroup
		defer pings.Wait()
		for range 1500 {
			pings.Go(func() { _ = s.WS.WebSocket().Ping(ctx) }) // without a pong once it is closed
		}
		s.Closes(4005)
		cancel()
		return len(s.Seen) > 0
	}
	for rounds := 1; flood(); rounds++ {
		if rounds == 40 {
			t.Fatal("she was let in 40 times")
		}
	}
	ann.Fresh()
	if a := eve.Do("GET", "/me", nil); a.Status != http.StatusOK {
		t.Errorf("over REST: %d", a.Status)
	}
}
