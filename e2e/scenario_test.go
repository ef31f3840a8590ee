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

// seedFlag repeats what a run drew by lot. A test logs its seed. It is the same each time unless
// told, so that a red run is about the change: `make soak` draws what nobody drew yet.
var seedFlag = flag.Uint64("seed", 1, "seed of everything that scenarios draw by lot; 0: another each time")

// allScenarios is the variable that `make prove` and `make soak` set. Without it only
// the short scenarios run.
const allScenarios = "FECHATTER_ALL_SCENARIOS"

// heavy skips a scenario that is too long for every run. Heavy scenarios run one after
// the other, short ones side by side.
func heavy(t *testing.T) {
	t.Helper()
	if !all() {
		t.Skip("a long scenario: make prove, or " + allScenarios + "=1 go test ./e2e")
	}
}

// all reports whether the long scenarios run, too.
func all() bool { return os.Getenv(allScenarios) != "" }

// natsServer builds the NATS server of go.mod, once.
var natsServer = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "nats-server")
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return path, nil
})

// scenario is a cluster, people who use it, and the faults that a test brings.
type scenario struct {
	*cluster.Cluster
	t    *testing.T
	ctx  context.Context //nolint:containedctx // the test's
	rng  *rand.Rand
	seed uint64
	load *load.Load

	front string // where people find the nodes; "": at the nodes themselves
}

// drawSeed returns the flag, or a seed drawn anew, and logs how to repeat it.
func drawSeed(t *testing.T) uint64 {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1e6) + 1
	}
	t.Logf("seed %d: go test ./e2e -run '^%s$' -seed %d", seed, t.Name(), seed)
	return seed
}

// begin starts a cluster of three nodes, or of what cfg says.
func begin(t *testing.T, cfg cluster.Config) *scenario {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a cluster")
	}
	s := (&scenario{seed: drawSeed(t)}).in(t)
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

// in returns the scenario as a test of its own, which draws anew from the seed.
func (s *scenario) in(t *testing.T) *scenario {
	return &scenario{Cluster: s.Cluster, t: t, ctx: t.Context(), seed: s.seed, rng: rand.New(rand.NewPCG(s.seed, 2)), front: s.front}
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

// targets are the nodes, past their proxies: a node cannot know what is between it
// and its clients.
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

// sends waits until n more sends are acknowledged. However long that takes on a slow machine, some
// of them always come.
func (s *scenario) sends(n int) {
	s.t.Helper()
	const some = 50
	for want := s.load.Acked(); n > 0; n -= some {
		want += min(n, some)
		s.eventually("sending", func() bool { return s.load.Acked() >= want })
	}
}

func (s *scenario) eventually(what string, ok func() bool) {
	s.t.Helper()
	eventually(s.t, what, ok)
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

// judge ends the work, waits until every node is ready and everybody has everything,
// and judges all that was seen.
func (s *scenario) judge() {
	s.t.Helper()
	s.ready()
	s.judgeBy(s.Query)
}

func (s *scenario) ready() {
	s.t.Helper()
	for _, n := range s.Nodes {
		s.must(n.AwaitReady(s.ctx))
	}
}

// judgeBy is judge by the database that query reads; it returns what was judged.
func (s *scenario) judgeBy(query load.Query) *check.Run {
	s.t.Helper()
	if err := s.load.StopWork(patience); err != nil {
		s.t.Error(err)
	}
	if err := s.load.CatchUp(s.ctx, query, patience); err != nil {
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
		s.t.Errorf("seed %d: broken promises:%s", s.seed, check.Story(found))
	}
	s.t.Logf("%d sends acknowledged, at most %s without an ack; judged: %s", acked, longestPause(run), summary(run))
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
