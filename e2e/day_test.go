package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	protocol "fechatter/client"
	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestOperatorsDay is what an operator does to two nodes behind a balancer while people
// work: an upgrade of one node after the other, during which no send fails; a restart
// of PostgreSQL; a backup, and its restore with a new epoch. Probes watch that
// readiness tells the truth throughout.
func TestOperatorsDay(t *testing.T) {
	heavy(t)
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

	s.people(load.Config{Devices: 2, Patience: patience}) // so that a slow answer is no failed one
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
	s.judge()

	lost := says(ada, id, 3)
	epoch := bob.Fresh().Seen[0].Field(t, "epoch")
	s.restore("noon", front)
	back := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: lost}})
	wantEpoch(t, back.Want("reset"), id, kept)
	if live := ada.Say(id, "after"); live != kept+1 || back.Want("message.created").Seq != live {
		t.Errorf("the chat goes on at %d, want %d", live, kept+1)
	}
	s.people(load.Config{Prefix: "evening."})
	s.sends(30)
	s.judge()
}

// upgrade restarts one node after the other under sends, none of which may fail.
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

// steady is programs that send by REST and try each message once.
type steady struct {
	s      *scenario
	by     protocol.Client
	chat   string
	cancel context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex
	stored map[string]bool // message ids
	failed []string
}

func sendSteadily(s *scenario, by *client.Person, chat string) *steady {
	ctx, cancel := context.WithCancel(s.ctx)
	p := &steady{s: s, by: protocol.Client{URL: by.URL, Token: by.Token}, chat: chat, cancel: cancel, stored: map[string]bool{}}
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
	body := map[string]string{"body": "steady"}
	err := p.by.Call(p.s.ctx, http.MethodPost, "/chats/"+p.chat+"/messages", body, &m, "Idempotency-Key", client.NewKey())
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		p.failed = append(p.failed, err.Error())
	case p.stored[m.ID]:
		p.failed = append(p.failed, "the same message again")
	default:
		p.stored[m.ID] = true
	}
}

func (p *steady) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.stored) + len(p.failed)
}

// judge ends the sending after 200 sends or more. None has failed, and the database has
// each once.
func (p *steady) judge() {
	p.s.t.Helper()
	p.s.eventually("done with 200 sends", func() bool { return p.count() >= 200 })
	p.cancel()
	p.all.Wait()
	rows, err := p.s.Query(p.s.ctx, "SELECT count(*), count(DISTINCT id) FROM messages WHERE chat_id = '"+p.chat+"'")
	p.s.must(err)
	if want := fmt.Sprintf("%d|%d", len(p.stored), len(p.stored)); rows[0] != want {
		p.s.t.Errorf("the database has %s messages but %s were acknowledged", rows[0], want)
	}
	if len(p.failed) > 0 {
		p.s.t.Errorf("%d steady sends succeeded, %d failed: %.1000q", len(p.stored), len(p.failed), p.failed)
	}
	p.s.t.Logf("%d steady sends", len(p.stored))
}

func (s *scenario) backUp(name string) {
	s.t.Helper()
	s.must(s.Postgres.Dump(s.ctx, s.Database(), name))
}

// restore follows docs/operations.md: stop the nodes, restore, say so, start the nodes.
func (s *scenario) restore(name string, front *cluster.Front) {
	s.t.Helper()
	for _, n := range s.Nodes {
		s.must(n.Stop())
	}
	s.must(s.Postgres.Restore(s.ctx, s.Database(), name))
	s.must(s.Command(s.ctx, "restored"))
	for _, n := range s.Nodes {
		s.must(n.Start(s.ctx))
	}
	s.eventually("found by the balancer", func() bool { return front.Answers(s.ctx) })
}
