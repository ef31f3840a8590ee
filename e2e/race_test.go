package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestDirectChatOnTwoNodes has both people of each pair open their direct chat at
// the same time, each on another node. Each pair has one chat.
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
				both.Go(func() { statuses[n], ids[n] = openDirect(pair[0].On(s.Nodes[n].URL()), pair[1].ID) })
			}
			both.Wait()
			if ids[0] != ids[1] || ids[0] == "" || statuses[0]+statuses[1] != http.StatusOK+http.StatusCreated {
				t.Fatalf("one pair has the chats %v (%v)", ids, statuses)
			}
		}
	}
}

// openDirect may be called by any goroutine: what fails has no status.
func openDirect(p *client.Person, other string) (status int, id string) {
	body := strings.NewReader(`{"kind":"direct","member_ids":["` + other + `"]}`)
	req, err := http.NewRequest(http.MethodPost, p.URL+"/api/v1/chats", body)
	if err != nil {
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	var c struct{ ID string }
	if json.NewDecoder(res.Body).Decode(&c) != nil {
		return 0, ""
	}
	return res.StatusCode, c.ID
}

// TestManyComeBack kills a node with a third of 500 connections, under load: they
// come back at the others, all at once, and nobody misses anything.
func TestManyComeBack(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	s.people(load.Config{People: 25, Devices: 20, Chats: 4, Pace: 250 * time.Millisecond})
	s.eventually("500 connections", func() bool { return s.load.Live() == 500 })
	n := s.node()
	s.must(n.Kill())
	began := time.Now()
	s.eventually("the others", func() bool { return s.load.Live() == 500 })
	t.Logf("500 connections again after %s", time.Since(began).Round(time.Millisecond))
	s.must(n.Start(s.ctx))
	s.sends(150)
	s.judge(150)
}
