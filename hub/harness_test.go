package hub

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a running hub with its surroundings.
type node struct {
	t   testing.TB
	hub *Hub
	db  *truth
	bus *medium

	handlers sync.WaitGroup // of HTTP requests; they end with the hub
}

// start runs a hub until the test ends, and fails the test if Run does not return. If wrap is nil,
// the source is the truth itself.
func start(t testing.TB, cfg Config, wrap func(*truth) Source) *node {
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 24 * time.Hour // nobody answers pings
	}
	db := newTruth()
	var src Source = db
	if wrap != nil {
		src = wrap(db)
	}
	return run(t, cfg, db, src, newMedium())
}

func run(t testing.TB, cfg Config, db *truth, src Source, bus *medium) *node {
	n := &node{t: t, db: db, bus: bus}
	cfg.Check = stampOf
	n.hub = New(cfg, src, bus, quiet())
	bus.hub = n.hub
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
			n.handlers.Wait()
		case <-time.After(hang):
			t.Error("Run did not return")
		}
		s := n.hub.Stats()
		if s.Connections != 0 || s.Subscriptions != 0 || s.QueuedBytes != 0 {
			t.Errorf("left over: %d connections, %d subscriptions, %d queued bytes", s.Connections, s.Subscriptions, s.QueuedBytes)
		}
	})
	return n
}

// member commits that users were added.
func (n *node) member(stream string, users ...string) {
	for _, u := range users {
		n.publish(n.db.commit(stream, Event{Op: "member.added", Subject: u}))
	}
}

func (n *node) publish(e Event) {
	n.t.Helper()
	if err := n.hub.Publish(e); err != nil {
		n.t.Fatal(err)
	}
}

// say commits and publishes a message.
func (n *node) say(stream, text string) Event {
	n.t.Helper()
	e := n.db.commit(stream, Event{Op: "message.created", Data: []byte(text)})
	n.publish(e)
	return e
}

func (n *node) open(streams ...string) func() {
	n.t.Helper()
	release, err := n.hub.Open(context.Background(), streams...)
	if err != nil {
		n.t.Fatal(err)
	}
	return release
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
