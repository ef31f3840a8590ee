package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestOperatorsDay is what an operator does to two nodes behind a balancer while
// people work: an upgrade of one node after the other, of which nobody's send may
// tell; a restart of PostgreSQL; a backup, and its restore with a new epoch. The
// probes beside it find that readiness told the truth throughout.
func TestOperatorsDay(t *testing.T) {
	balancer, err := exec.LookPath("haproxy")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("not tested: ", err)
	}
	s := begin(t, cluster.Config{Nodes: 2, Env: []string{"FECHATTER_DRAIN_DELAY=1s", "FECHATTER_TRUSTED_PROXIES=127.0.0.1"}})
	front, err := s.Front(s.ctx, balancer)
	s.must(err)
	s.front = front.URL()
	ada, bob := client.SignUp(t, s.front, "ada"), client.SignUp(t, s.front, "bob")
	id := ada.Group(bob)
	kept := says(ada, id, 10)

	s.people(load.Config{Devices: 2})
	s.sends(50)
	steady := sendSteadily(s, ada, ada.Group(bob))
	s.upgrade()
	steady.judge()
	s.sends(50)
	s.must(s.Postgres.Halt())
	s.must(s.Postgres.Resume(s.ctx))
	s.sends(50)
	s.backUp("noon")
	s.sends(20)
	s.judge(170)

	lost := says(ada, id, 3)
	epoch := bob.Fresh().Seen[0].Field(t, "epoch")
	s.restore("noon")
	back := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: lost}})
	wantEpoch(t, back.Want("reset"), id, kept)
	if live := ada.Say(id, "after"); live != kept+1 || back.Want("message.created").Seq != live {
		t.Errorf("the chat goes on at %d, want %d", live, kept+1)
	}
	s.people(load.Config{Prefix: "evening."})
	s.sends(30)
	s.judge(30)
}

// upgrade replaces one node after the other, under sends of which none may fail.
func (s *scenario) upgrade() {
	s.t.Helper()
	failed := s.load.Failed()
	for _, n := range s.Nodes {
		began := time.Now()
		if err := n.Stop(); err != nil {
			s.t.Errorf("%s ended with %v", n.Name, err)
		}
		s.t.Logf("%s left in %s", n.Name, time.Since(began).Round(time.Millisecond))
		s.must(n.Start(s.ctx))
		s.sends(20)
	}
	for _, f := range s.load.Failed()[len(failed):] {
		s.t.Errorf("a send failed during the upgrade: %s", f)
	}
}

// steady is programs that send by REST, each message once: what fails, fails.
type steady struct {
	s      *scenario
	by     *client.Person
	chat   string
	stop   context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex
	stored map[string]bool // message ids
	failed []string
}

func sendSteadily(s *scenario, by *client.Person, chat string) *steady {
	ctx, stop := context.WithCancel(s.ctx)
	p := &steady{s: s, by: by, chat: chat, stop: stop, stored: map[string]bool{}}
	for range 8 {
		p.all.Go(func() {
			for ctx.Err() == nil {
				p.send()
			}
		})
	}
	return p
}

func (p *steady) send() {
	var m struct{ ID string }
	status, err := p.post(&m)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.failed = append(p.failed, err.Error())
	case status != http.StatusCreated:
		p.failed = append(p.failed, http.StatusText(status))
	case p.stored[m.ID]:
		p.failed = append(p.failed, "the same message again")
	}
	p.stored[m.ID] = true
}

func (p *steady) post(out any) (status int, err error) {
	ctx, cancel := context.WithTimeout(p.s.ctx, 10*time.Second) // what was begun is brought to its end
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.by.URL+"/api/v1/chats/"+p.chat+"/messages", strings.NewReader(`{"body":"steady"}`))
	if err != nil {
		return 0, err
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + p.by.Token, "Content-Type": "application/json", "Idempotency-Key": client.NewKey()} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, json.NewDecoder(res.Body).Decode(out)
}

// judge ends the sending: none failed, and the database has each once.
func (p *steady) judge() {
	p.s.t.Helper()
	p.stop()
	p.all.Wait()
	rows, err := p.s.Query(p.s.ctx, "SELECT count(*), count(DISTINCT id) FROM messages WHERE chat_id = '"+p.chat+"'")
	p.s.must(err)
	if want := fmt.Sprintf("%d|%d", len(p.stored), len(p.stored)); rows[0] != want {
		p.s.t.Errorf("the database has %s messages, %s were acknowledged", rows[0], want)
	}
	if len(p.failed) > 0 || len(p.stored) < 200 {
		p.s.t.Errorf("of %d steady sends %d failed, the first: %.1000q", len(p.stored), len(p.failed), p.failed)
	}
	p.s.t.Logf("%d steady sends", len(p.stored))
}

func (s *scenario) backUp(name string) {
	s.t.Helper()
	s.must(s.Postgres.Dump(s.ctx, s.Database(), name))
}

// restore is as README has it: stop the nodes, restore, say so, start the nodes.
func (s *scenario) restore(name string) {
	s.t.Helper()
	for _, n := range s.Nodes {
		s.must(n.Stop())
	}
	s.must(s.Postgres.Restore(s.ctx, s.Database(), name))
	s.must(s.Command(s.ctx, "restored"))
	for _, n := range s.Nodes {
		s.must(n.Start(s.ctx))
	}
	s.eventually("answer of the balancer", func() bool {
		res, err := http.Get(s.front + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}
