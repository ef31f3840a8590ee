package e2e

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"fechatter/e2e/check"
	"fechatter/e2e/cluster"
	"fechatter/e2e/load"
	"fechatter/persistence/postgrestest"
)

// seedFlag repeats what a run has drawn by lot; 0 draws anew. A test prints the
// seed that it took.
var seedFlag = flag.Uint64("seed", 0, "seed of everything that scenarios draw by lot; 0: another each time")

// allScenarios is the variable that `make soak` sets: without it only the short
// scenarios run.
const allScenarios = "FECHATTER_ALL_SCENARIOS"

// heavy skips a scenario that is too long for every run.
func heavy(t *testing.T) {
	t.Helper()
	if os.Getenv(allScenarios) == "" {
		t.Skip("a long scenario: make soak, or " + allScenarios + "=1 go test ./e2e")
	}
}

// natsServer builds the NATS server of go.mod, once.
var natsServer = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "nats-server")
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return path, nil
})

// scenario is a cluster, people who use it, and a fault that a test brings.
type scenario struct {
	*cluster.Cluster
	t    *testing.T
	ctx  context.Context //nolint:containedctx // the test's
	rng  *rand.Rand
	seed uint64
	load *load.Load

	front string // where people find the nodes, "": at the nodes themselves
}

// patience is how long a cluster may take to come to rest after its last fault.
const patience = 60 * time.Second

// drawSeed is the flag, or drawn anew, and tells how to have it again.
func drawSeed(t *testing.T) uint64 {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1e6) + 1
	}
	t.Logf("seed %d: go test ./e2e -run '^%s$' -seed %d", seed, t.Name(), seed)
	return seed
}

// begin starts a cluster of three nodes, or what cfg says.
func begin(t *testing.T, cfg cluster.Config) *scenario {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	s := &scenario{t: t, ctx: t.Context(), seed: drawSeed(t)}
	s.rng = rand.New(rand.NewPCG(s.seed, 2))
	path, err := natsServer()
	if err != nil {
		t.Fatalf("build nats-server: %v: %s", err, path)
	}
	cfg.Program, cfg.NatsServer, cfg.Seed, cfg.Dir = program, path, s.seed, t.TempDir()
	cfg.Nodes, cfg.Buses = cmp.Or(cfg.Nodes, 3), cmp.Or(cfg.Buses, 1)
	s.Cluster, err = cluster.Start(s.ctx, cfg)
	if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip("not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, n := range s.Nodes {
				t.Logf("log of %s:\n%s", n.Name, n.Log())
			}
		}
	})
	return s
}

// people connects a load and lets it work.
func (s *scenario) people(cfg load.Config) {
	s.t.Helper()
	cfg.URLs, cfg.Seed = s.urls(), s.seed
	var err error
	if s.load, err = load.Prepare(s.ctx, cfg); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.load.Close)
	s.load.Connect(s.ctx)
	s.must(s.load.Probe(s.ctx, s.targets()))
	s.load.Work(s.ctx)
}

// targets are the nodes, past their proxies: what is between them and their
// clients is not theirs to tell.
func (s *scenario) targets() (targets []load.Target) {
	for _, n := range s.Nodes {
		targets = append(targets, load.Target{Name: n.Name, URL: n.Direct})
	}
	return targets
}

func (s *scenario) urls() (urls []string) {
	if s.front != "" {
		return []string{s.front}
	}
	for _, n := range s.Nodes {
		urls = append(urls, n.URL())
	}
	return urls
}

// sends waits until n more sends are acknowledged.
func (s *scenario) sends(n int) {
	s.t.Helper()
	want := s.load.Acked() + n
	s.eventually("sends acknowledged", func() bool { return s.load.Acked() >= want })
}

func (s *scenario) eventually(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("no %s after %s", what, patience)
		}
	}
}

// lasts lets a fault last.
func (s *scenario) lasts(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

// between draws a duration.
func (s *scenario) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.rng.Int64N(int64(to-from)))
}

// node draws a node.
func (s *scenario) node() *cluster.Node { return s.Nodes[s.rng.IntN(len(s.Nodes))] }

func (s *scenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// judge brings the work to its end, waits until everybody has everything, and
// judges all that was seen. At least so many sends must have been acknowledged.
func (s *scenario) judge(sends int) {
	s.t.Helper()
	s.judgeBy(s.Query, sends)
}

// judgeBy is judge by the database that query reads; it gives what was judged.
func (s *scenario) judgeBy(query load.Query, sends int) *check.Run {
	s.t.Helper()
	if err := s.load.Rest(patience); err != nil {
		s.t.Error(err)
	}
	if err := s.load.Settle(s.ctx, query, patience); err != nil {
		s.t.Error(err)
	}
	acked := s.load.Acked()
	truth, err := s.load.Truth(s.ctx, query)
	s.must(err)
	run := s.load.Recorded()
	run.Chats = truth
	run.Searches, err = s.load.Searches(s.ctx, query, truth, patience)
	s.must(err)
	if found := check.Judge(run); len(found) > 0 {
		s.t.Errorf("seed %d: promises were broken:%s", s.seed, check.Story(found))
	}
	s.t.Logf("%d sends acknowledged, at most %s without an ack; judged: %s", acked, longestPause(run), summary(run))
	if acked < sends {
		s.t.Errorf("only %d sends were acknowledged: that proves little", acked)
	}
	return run
}

// summary says how much there was to judge.
func summary(run *check.Run) string {
	frames, events, removals := 0, 0, 0
	for _, c := range run.Connections {
		frames += len(c.Frames)
	}
	for _, c := range run.Chats {
		events += len(c.Events)
		for _, e := range c.Events {
			if e.Op == "member.removed" {
				removals++
			}
		}
	}
	looks := 0
	for _, p := range run.Probes {
		looks += len(p.Looks)
	}
	return fmt.Sprintf("%d connections, %d frames, %d events in %d chats, %d removals, %d looks of probes", len(run.Connections), frames, events, len(run.Chats), removals, looks)
}

// longestPause is the longest time in which no send of anybody was acknowledged.
func longestPause(run *check.Run) (longest time.Duration) {
	var acks []time.Duration
	for _, s := range run.Sends {
		if s.Acked > 0 {
			acks = append(acks, s.Acked)
		}
	}
	slices.Sort(acks)
	for i := range acks[min(1, len(acks)):] {
		longest = max(longest, acks[i+1]-acks[i])
	}
	return longest.Round(time.Millisecond)
}
