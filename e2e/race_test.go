package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	protocol "fechatter/client"
	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestDirectChatOnTwoNodes lets both people of each pair open their direct chat at the
// same time on different nodes. Each pair ends up with one chat.
func TestDirectChatOnTwoNodes(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	var people []*client.Person
	for i := range 12 {
		people = append(people, client.SignUp(t, s.Nodes[i%3].URL(), fmt.Sprint("person", i)))
	}
	for i, a := range people {
		for _, b := range people[:i] {
			var ids [2]string
			var statuses [2]int
			var both sync.WaitGroup
			for n, pair := range [][2]*client.Person{{a, b}, {b, a}} {
				both.Go(func() { statuses[n], ids[n] = openDirect(s.ctx, pair[0].On(s.Nodes[n].URL()), pair[1].ID) })
			}
			both.Wait()
			if ids[0] != ids[1] || ids[0] == "" || statuses[0]+statuses[1] != http.StatusOK+http.StatusCreated {
				t.Fatalf("one pair has the chats %v (%v)", ids, statuses)
			}
		}
	}
}

// openDirect may be called by any goroutine. The status is 0 without an answer.
func openDirect(ctx context.Context, p *client.Person, other string) (status int, id string) {
	c := protocol.Client{URL: p.URL, Token: p.Token}
	a, err := c.Do(ctx, http.MethodPost, "/chats", map[string]any{"kind": "direct", "member_ids": []string{other}})
	var chat struct{ ID string }
	if err != nil || json.Unmarshal(a.Body, &chat) != nil {
		return 0, ""
	}
	return a.Status, chat.ID
}

// TestManyComeBack kills a node with a third of 500 connections under load: they come
// back to the others all at once, and nobody misses anything.
func TestManyComeBack(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	s.people(load.Config{People: 25, Devices: 20, Chats: 4, Pace: 250 * time.Millisecond})
	s.eventually("at 500 connections", func() bool { return s.load.Live() == 500 })
	n := s.node()
	s.must(n.Kill())
	began := time.Now()
	s.eventually("back at 500 connections", func() bool { return s.load.Live() == 500 })
	t.Logf("500 connections again after %s", time.Since(began).Round(time.Millisecond))
	s.must(n.Start(s.ctx))
	s.sends(150)
	s.judge()
}
