package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"fechatter/conform/client"
)

const (
	kills   = 20
	senders = 8
)

// attempt is one send: its key, which is its body too, and its ack if one came.
type attempt struct {
	key   string
	id    string
	seq   int64
	acked bool
}

// TestKillLosesNothing kills the node in the middle of a stream of sends, again
// and again. Whatever was acknowledged is there, at its seq, once; what was not
// is sent again under its key, and is there once as well.
func TestKillLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process 20 times")
	}
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
	if len(all) < 10*kills {
		t.Fatalf("only %d sends in %d rounds: that proves little", len(all), kills)
	}
	t.Logf("%d sends, %d kills", len(all), kills)
	checkHistory(t, ada, chatID, all)
	checkEvents(t, ada, chatID)
}

// sendUntilKilled sends from several places at once and kills the node at a
// moment of its own choice.
func sendUntilKilled(n *node, p *client.Person, chatID string, round int) []*attempt {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		made []*attempt
	)
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
			}
		})
	}
	time.AfterFunc(20*time.Millisecond+rand.N(200*time.Millisecond), n.kill)
	wg.Wait()
	n.kill()
	return made
}

// send reports whether an ack came.
func (a *attempt) send(url, token, chatID string) bool {
	body, err := json.Marshal(map[string]string{"body": a.key})
	if err != nil {
		return false
	}
	req, err := http.NewRequest(http.MethodPost, url+"/api/v1/chats/"+chatID+"/messages", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", a.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	var m struct {
		ID  string
		Seq int64
	}
	if res.StatusCode/100 != 2 || json.NewDecoder(res.Body).Decode(&m) != nil {
		return false
	}
	a.id, a.seq, a.acked = m.ID, m.Seq, true
	return true
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
			t.Errorf("%s was acknowledged as %s at %d, and is %+v", a.key, a.id, a.seq, m)
		}
	}
	if len(found) != len(all) {
		t.Errorf("%d messages of %d sends", len(found), len(all))
	}
}

// checkEvents reads the log from its kept part on: no hole, no repetition.
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
