package e2e

import (
	"testing"
	"time"

	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
)

// TestNodeKilled kills a node in the middle of the work, and starts it again.
func TestNodeKilled(t *testing.T) {
	s := begin(t, cluster.Config{})
	s.people(load.Config{})
	s.sends(50)
	n := s.node()
	s.must(n.Kill())
	s.sends(100)
	s.must(n.Start(s.ctx))
	s.sends(50)
	s.judge(200)
}

// TestNatsKilled kills the bus: events travel by the database alone until it is
// back.
func TestNatsKilled(t *testing.T) {
	s := begin(t, cluster.Config{})
	s.people(load.Config{})
	s.sends(50)
	s.must(s.Nats[0].Kill())
	s.lasts(s.between(time.Second, 3*time.Second))
	s.must(s.Nats[0].Start(s.ctx))
	s.sends(100)
	s.judge(200)
}

// TestPostgresCrashes stops the database as a loss of power would, under load.
func TestPostgresCrashes(t *testing.T) {
	s := begin(t, cluster.Config{})
	s.people(load.Config{})
	s.sends(50)
	s.must(s.Postgres.Crash())
	s.lasts(s.between(0, 2*time.Second))
	s.must(s.Postgres.Resume(s.ctx))
	s.sends(100)
	s.judge(150)
}
