package e2e

import (
	"fmt"
	"testing"
	"time"

	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
	"fechatter/e2e/proxy"
)

// fault is something that happens to a cluster under load and is over when do
// returns.
type fault struct {
	name  string
	short bool // runs in every `make test`
	do    func(*scenario)
}

func faults() []fault {
	return []fault{
		{"node killed", true, nodeKilled},
		{"NATS killed", true, natsKilled},
		{"PostgreSQL crashes", true, postgresCrashes},
		{"rolling restart", false, rollingRestart},
		{"PostgreSQL frozen", false, postgresFrozen},
		{"PostgreSQL cut off from a node", false, databaseCut},
		{"connections to PostgreSQL break", true, databaseBreaks},
		{"NATS cut off from a node", false, busCut},
		{"NATS frozen", false, natsFrozen},
		{"noisy bus", true, noisyBus},
		{"node frozen", false, nodeFrozen},
		{"clients cut off", false, clientsCut},
		{"slow network", false, slowNetwork},
		{"slow clients", false, slowClients},
	}
}

// TestFaults brings one fault after the other to three nodes under load, and at last
// a storm of removals.
func TestFaults(t *testing.T) {
	if !all() {
		t.Parallel()
	}
	s := begin(t, cluster.Config{})
	for i, f := range faults() {
		sound := t.Run(f.name, func(t *testing.T) {
			if !f.short {
				heavy(t)
			}
			s := s.in(t)
			s.people(load.Config{Devices: 2, Prefix: fmt.Sprintf("f%d.", i)})
			s.sends(50)
			f.do(s)
			s.Heal()
			s.sends(50)
			s.judge()
		})
		if !sound {
			return // the others would only show the same
		}
	}
	t.Run("removals", func(t *testing.T) { removalStorm(s.in(t)) })
}

// removalStorm removes and adds members of one busy chat again and again, on a bus
// that loses some events: removals meet messages, other removals and new memberships.
func removalStorm(s *scenario) {
	sends := 400
	if all() {
		sends = 2000
	}
	s.setNoise(proxy.Noise{Drop: 0.05, Reorder: 0.2})
	s.people(load.Config{People: 12, Chats: 1, Devices: 2, Churn: 60, Pace: time.Millisecond, Prefix: "storm."})
	s.sends(sends)
	s.Heal()
	s.judge()
}

// TestNatsCluster kills one of three NATS servers, for good.
func TestNatsCluster(t *testing.T) {
	heavy(t)
	s := begin(t, cluster.Config{Buses: 3})
	s.people(load.Config{Devices: 2})
	s.sends(100)
	for _, n := range s.Nodes { // or the servers do not know each other
		s.eventually("hearing 50 messages of the bus at "+n.Name, func() bool {
			heard := 0
			for _, b := range n.Buses {
				heard += b.Counts().Messages
			}
			return heard >= 50
		})
	}
	s.must(s.Nats[s.rng.IntN(3)].Kill())
	s.sends(200)
	s.judge()
}

// nodeKilled is kill -9 in the middle of the work.
func nodeKilled(s *scenario) {
	n := s.node()
	s.must(n.Kill())
	s.sends(100)
	s.must(n.Start(s.ctx))
}

// natsKilled leaves the database alone to carry events.
func natsKilled(s *scenario) {
	n := s.Nats[s.rng.IntN(len(s.Nats))]
	s.must(n.Kill())
	s.lasts(s.between(time.Second, 4*time.Second))
	s.must(n.Start(s.ctx))
}

// postgresCrashes is a power cut for the database.
func postgresCrashes(s *scenario) {
	s.must(s.Postgres.Crash())
	s.lasts(s.between(0, 3*time.Second))
	s.must(s.Postgres.Resume(s.ctx))
}

// rollingRestart stops each node in good order and starts it again, with pauses.
func rollingRestart(s *scenario) {
	for _, n := range s.Nodes {
		if err := n.Stop(); err != nil {
			s.t.Errorf("%s ended with %v", n.Name, err)
		}
		s.must(n.Start(s.ctx))
		s.sends(20)
	}
}

// postgresFrozen suspends every process of the database.
func postgresFrozen(s *scenario) {
	s.must(s.Postgres.Freeze())
	s.lasts(10 * time.Second)
	s.must(s.Postgres.Thaw())
}

// databaseCut makes a black hole between one node and the database.
func databaseCut(s *scenario) {
	s.node().Database.Set(proxy.Fault{HoldUp: s.rng.IntN(2) == 0, HoldDown: true})
	s.lasts(s.between(time.Second, 15*time.Second))
}

// databaseBreaks breaks connections to the database in the middle of messages, in both
// directions.
func databaseBreaks(s *scenario) {
	for range 8 {
		for _, n := range s.Nodes {
			n.Database.Set(proxy.Fault{CutUp: s.rng.Int64N(20000), CutDown: s.rng.Int64N(20000)})
		}
		s.lasts(s.between(100*time.Millisecond, time.Second))
		s.node().Database.Reset()
	}
}

// busCut makes a black hole between one node and NATS.
func busCut(s *scenario) {
	for _, b := range s.node().Buses {
		b.Set(proxy.Fault{HoldUp: s.rng.IntN(4) > 0, HoldDown: true})
	}
	s.lasts(s.between(time.Second, 15*time.Second))
}

func natsFrozen(s *scenario) {
	n := s.Nats[s.rng.IntN(len(s.Nats))]
	s.must(n.Freeze())
	s.lasts(s.between(time.Second, 10*time.Second))
	s.must(n.Thaw())
}

// noisyBus loses, doubles and reorders messages to every node, many of each.
func noisyBus(s *scenario) {
	s.setNoise(proxy.Noise{Drop: 0.05, Double: 0.05, Reorder: 0.05})
	before := s.noise()
	s.eventually("noisy", func() bool {
		now := s.noise()
		return min(now.Dropped-before.Dropped, now.Doubled-before.Doubled, now.Reordered-before.Reordered) >= 25
	})
}

// noise counts what became of all messages of the bus so far.
func (s *scenario) noise() (sum proxy.NoiseCount) {
	for _, n := range s.Nodes {
		for _, b := range n.Buses {
			c := b.Counts()
			sum.Messages, sum.Dropped = sum.Messages+c.Messages, sum.Dropped+c.Dropped
			sum.Doubled, sum.Reordered = sum.Doubled+c.Doubled, sum.Reordered+c.Reordered
		}
	}
	return sum
}

func (s *scenario) setNoise(noise proxy.Noise) {
	for _, n := range s.Nodes {
		for _, b := range n.Buses {
			b.SetNoise(noise)
		}
	}
}

// nodeFrozen suspends a node for longer than anybody waits.
func nodeFrozen(s *scenario) {
	n := s.node()
	s.must(n.Freeze())
	s.lasts(20 * time.Second)
	s.must(n.Thaw())
}

// clientsCut breaks the connections of clients in every way.
func clientsCut(s *scenario) {
	for range 10 {
		n := s.node()
		switch s.rng.IntN(4) {
		case 0:
			n.Public.Reset()
		case 1:
			n.Public.Set(proxy.Fault{CutDown: 1 + s.rng.Int64N(20000)})
		case 2:
			n.Public.Set(proxy.Fault{CutUp: 1 + s.rng.Int64N(5000)})
		case 3:
			n.Public.Set(proxy.Fault{HoldUp: s.rng.IntN(2) == 0, HoldDown: true})
		}
		s.lasts(s.between(100*time.Millisecond, time.Second))
		n.Public.Set(proxy.Fault{})
	}
}

// slowNetwork delays everything between all parts.
func slowNetwork(s *scenario) {
	for _, n := range s.Nodes {
		n.Public.Set(proxy.Fault{Delay: s.between(1, 50*time.Millisecond)})
		n.Database.Set(proxy.Fault{Delay: s.between(1, 20*time.Millisecond)})
		for _, b := range n.Buses {
			b.Set(proxy.Fault{Delay: s.between(1, 200*time.Millisecond)})
		}
	}
	s.lasts(5 * time.Second)
}

// slowClients holds and delays what goes to clients while the bus loses many events:
// replays and live events, removals and new memberships meet in slow sockets.
func slowClients(s *scenario) {
	s.setNoise(proxy.Noise{Drop: 0.3})
	for range 12 {
		n := s.node()
		n.Public.Set(proxy.Fault{HoldDown: s.rng.IntN(2) == 0, Delay: s.between(0, 700*time.Millisecond)})
		s.lasts(s.between(100*time.Millisecond, 1500*time.Millisecond))
		if s.rng.IntN(3) == 0 {
			n.Public.Reset()
		}
		n.Public.Set(proxy.Fault{})
	}
}
