package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
)

// counted is a search as these tests read it.
type counted struct {
	Total int
	LagMS int64 `json:"lag_ms"`
}

// total returns how many messages a search finds; ok is false if it is unavailable. Any
// other answer fails the test.
func total(t *testing.T, p *client.Person, q string) (found counted, ok bool) {
	t.Helper()
	a := p.Do("GET", "/search?q="+q, nil)
	switch a.Status {
	case http.StatusOK:
		a.Read(t, &found)
		return found, true
	case http.StatusServiceUnavailable:
		return found, false
	}
	t.Fatalf("search: %d %s", a.Status, a.Body)
	return found, false
}

// keeps waits until all messages with the word are in the index of whichever node keeps it.
func keeps(t *testing.T, p *client.Person, word string, want int) {
	t.Helper()
	eventually(t, "indexed: "+word, func() bool {
		found, ok := total(t, p, word)
		return ok && found.Total == want && found.LagMS == 0
	})
}

// holder returns which node keeps the index, "" if none does.
func holder(s *scenario) string {
	s.t.Helper()
	rows, err := s.Query(s.ctx, "SELECT holder FROM leases WHERE name = 'index' AND holder <> ''")
	s.must(err)
	return strings.Join(rows, "")
}

// TestSearchAfterAChangeOfKeeper hands the Bleve index over and back, as a rolling restart
// does: a node whose folder missed what the other indexed says so until it has caught up.
func TestSearchAfterAChangeOfKeeper(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{Nodes: 2})
	first, second := s.Nodes[0], s.Nodes[1]
	s.must(second.Stop())
	ada := client.SignUp(t, first.URL(), "ada")
	id := ada.Group()
	say := func(word string, n int) {
		for i := range n {
			ada.Say(id, fmt.Sprint(word, " ", i))
		}
	}
	say("early", 20)
	keeps(t, ada, "early", 20)

	s.must(second.Start(s.ctx))
	s.must(first.Stop())
	ada = ada.On(second.URL())
	keeps(t, ada, "early", 20)
	const late = 2500 // more than a comparison of index and database finds at once
	say("late", late)
	keeps(t, ada, "late", late)

	s.must(first.Start(s.ctx))
	ada = ada.On(first.URL())
	before := holder(s)
	s.must(second.Stop())
	// Searches that fail meanwhile would keep the next ones from being tried.
	s.eventually("kept by the first node", func() bool { now := holder(s); return now != "" && now != before })
	refused := 0
	eventually(t, "searched by the first node", func() bool {
		found, ok := total(t, ada, "late")
		if !ok {
			refused++
		} else if found.Total != late {
			t.Fatalf("found %d of %d after %d refusals", found.Total, late, refused)
		}
		return ok
	})
	keeps(t, ada, "early", 20)
}

// TestKeeperCutFromTheDatabase cuts the node that keeps the index from the database, but not
// from the bus: whoever asks gets all messages or a refusal, never the answer of a node
// whose lease another one has.
func TestKeeperCutFromTheDatabase(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{})
	for _, n := range s.Nodes[1:] {
		s.must(n.Stop())
	}
	ada := client.SignUp(t, s.Nodes[0].URL(), "ada")
	id := ada.Group()
	ada.Say(id, "before")
	keeps(t, ada, "before", 1)
	for _, n := range s.Nodes[1:] {
		s.must(n.Start(s.ctx))
	}
	s.Nodes[0].Database.Set(proxy.Fault{HoldUp: true, HoldDown: true})
	there := ada.On(s.Nodes[1].URL())
	for i := range 50 {
		there.Say(id, fmt.Sprint("after ", i))
	}
	answers := 0
	for began := time.Now(); time.Since(began) < 20*time.Second; {
		for _, n := range s.Nodes[1:] {
			if found, ok := total(t, ada.On(n.URL()), "after"); ok {
				if answers++; found.Total != 50 {
					t.Fatalf("found %d of 50 on %s after %s", found.Total, n.Name, time.Since(began))
				}
			}
		}
		s.lasts(20 * time.Millisecond)
	}
	if answers == 0 {
		t.Error("nobody took over")
	}
}
