package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	protocol "fechatter/client"
	"fechatter/conform/client"
)

const (
	kills   = 20
	senders = 8
)

// attempt is one send: its key, which is also its body, and its ack if one came.
type attempt struct {
	key   string
	id    string
	seq   int64
	acked bool
}

// TestKillLosesNothing kills the node again and again in the middle of a stream of
// sends. Whatever was acknowledged is there once, at its seq; what was not is sent
// again under its key, and is there once, too.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	ada := client.SignUp(t, n.url, "ada")
	chatID := ada.Group()
	var all []*attempt
	for round := range kills {
		all = append(all, sendUntilKilled(n, ada, chatID, round)...)
		n = start(t, dir)
		ada.URL = n.url
		for _, a := range all {
			if !a.acked {
				a.send(n.url, ada.Token, chatID)
			}
			if !a.acked {
				t.Fatalf("round %d: %s is still not acknowledged", round, a.key)
			}
		}
	}
	t.Logf("%d sends, %d kills", len(all), kills)
	checkHistory(t, ada, chatID, all)
	checkEvents(t, ada, chatID)
}

// sendUntilKilled sends from several places at once and kills the node at a random
// moment after some acks.
func sendUntilKilled(n *node, p *client.Person, chatID string, round int) []*attempt {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		made  []*attempt
		acked atomic.Int64
	)
	last, due := int64(5+rand.N(100)), rand.N(5*time.Millisecond)
	for s := range senders {
		wg.Go(func() {
			for i := 0; ; i++ {
				a := &attempt{key: fmt.Sprintf("r%d-s%d-%d", round, s, i)}
				ok := a.send(n.url, p.Token, chatID)
				mu.Lock()
				made = append(made, a)
				mu.Unlock()
				if !ok {
					return
				}
				if acked.Add(1) == last {
					time.AfterFunc(due, n.kill)
				}
			}
		})
	}
	wg.Wait()
	n.kill()
	return made
}

// send reports whether an ack came.
func (a *attempt) send(url, token, chatID string) bool {
	var m struct {
		ID  string
		Seq int64
	}
	c := protocol.Client{URL: url, Token: token}
	err := c.Call(context.Background(), http.MethodPost, "/chats/"+chatID+"/messages", map[string]string{"body": a.key}, &m, "Idempotency-Key", a.key)
	a.id, a.seq, a.acked = m.ID, m.Seq, err == nil
	return a.acked
}

func checkHistory(t *testing.T, p *client.Person, chatID string, all []*attempt) {
	t.Helper()
	type message struct {
		ID   string
		Seq  int64
		Body string
	}
	found := map[string]message{}
	for after := int64(0); ; {
		var page struct {
			Messages []message
			HasMore  bool `json:"has_more"`
		}
		p.Rest("GET", fmt.Sprintf("/chats/%s/messages?limit=200&after_seq=%d", chatID, after), nil, http.StatusOK, &page)
		for _, m := range page.Messages {
			if twin, twice := found[m.Body]; twice {
				t.Errorf("%s is there twice: %d and %d", m.Body, twin.Seq, m.Seq)
			}
			found[m.Body] = m
			after = m.Seq
		}
		if !page.HasMore {
			break
		}
	}
	for _, a := range all {
		if m := found[a.key]; m.ID != a.id || m.Seq != a.seq {
			t.Errorf("%s was acknowledged as %s at %d but is %+v", a.key, a.id, a.seq, m)
		}
	}
	if len(found) != len(all) {
		t.Errorf("%d messages of %d sends", len(found), len(all))
	}
}

// checkEvents reads the log: no hole, no repetition.
func checkEvents(t *testing.T, p *client.Person, chatID string) {
	t.Helper()
	for after := int64(0); ; {
		var page struct {
			Events []struct {
				Seq int64
			}
			LastSeq int64 `json:"last_seq"`
		}
		p.Rest("GET", fmt.Sprintf("/chats/%s/events?limit=200&after_seq=%d", chatID, after), nil, http.StatusOK, &page)
		for _, e := range page.Events {
			if after++; e.Seq != after {
				t.Fatalf("event %d where %d was due", e.Seq, after)
			}
		}
		if len(page.Events) == 0 {
			if after != page.LastSeq {
				t.Errorf("the log ends at %d of %d", after, page.LastSeq)
			}
			return
		}
	}
}
