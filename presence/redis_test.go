package presence_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/presence"
	"fechatter/presence/presencetest"
)

// Redis dies and comes back empty: it is unknown who is absent until everybody has
// had time to renew, and nobody is reported gone in between.
func TestRedisKilledAndRestartedEmpty(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	w := worldOn(t, s)
	renew(t, w.First, "ann", "bob")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, w.First)
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	back(t, w.First)
	back(t, w.Second)
	if r := renew(t, w.First, "ann"); !r[0].Appeared {
		t.Error("ann is new to this Redis")
	}
	wantGone(t, sweep(t, w.Second))
	wantReading(t, w.Second, "ann", true, false)
	wantReading(t, w.Second, "bob", false, false)
	wantGone(t, pass(t, w, presencetest.Rebuild-sweepStep, "ann"))
	wantReading(t, w.Second, "bob", false, false)
	wantGone(t, pass(t, w, 2*sweepStep, "ann"))
	wantReading(t, w.Second, "ann", true, true)
	wantReading(t, w.Second, "bob", false, true)
	wantGone(t, pass(t, w, presencetest.TTL+sweepStep), "ann")
}

// Every node hears once that leases were lost, and never without a reason.
func TestRedisLosesLeases(t *testing.T) {
	w := redisWorld(t)
	lost := func(l presence.Leases) bool {
		t.Helper()
		swept, err := l.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return swept.Lost
	}
	for range 3 {
		if lost(w.First) || lost(w.Second) {
			t.Fatal("lost without a reason")
		}
	}
	if err := server.Empty(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]presence.Leases{"first": w.First, "second": w.Second} {
		if !lost(l) || lost(l) {
			t.Errorf("the %s node was not told exactly once", name)
		}
	}
}

// A Redis that hangs is refused by the breaker, and used again when it goes on.
func TestRedisFrozen(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	w := worldOn(t, s)
	renew(t, w.First, "ann")
	hasty := openWith(t, presence.RedisConfig{URL: s.URL()})
	back(t, hasty)
	if err := s.Freeze(); err != nil {
		t.Fatal(err)
	}
	wantOpen(t, hasty)
	if err := s.Thaw(); err != nil {
		t.Fatal(err)
	}
	back(t, hasty)
	wantReading(t, w.Second, "ann", true, true)
}

// After Redis stood still for longer than a lease, nobody is gone until everybody
// has had time to renew.
func TestRedisStandstill(t *testing.T) {
	w := redisWorld(t)
	renew(t, w.First, "ann", "bob")
	w.Advance(2 * presencetest.TTL)
	wantReading(t, w.First, "ann", false, false)
	wantGone(t, sweep(t, w.First))
	wantGone(t, sweep(t, w.Second))
	wantReading(t, w.First, "zoe", false, false)
	if r := renew(t, w.First, "ann"); !r[0].Appeared {
		t.Error("ann came back unnoticed")
	}
	wantGone(t, pass(t, w, presencetest.Rebuild-sweepStep, "ann"))
	wantGone(t, pass(t, w, 2*sweepStep, "ann"), "bob")
	wantReading(t, w.Second, "ann", true, true)
	wantReading(t, w.Second, "bob", false, true)
}

// A pause shorter than a lease is not a standstill.
func TestRedisShortPause(t *testing.T) {
	w := redisWorld(t)
	w.Advance(sweepStep)
	wantReading(t, w.First, "zoe", false, true)
	sweep(t, w.First)
	wantReading(t, w.First, "zoe", false, true)
}

// When the clock goes back, leases seem to last longer, but do not.
func TestRedisClockGoesBack(t *testing.T) {
	w := redisWorld(t)
	renew(t, w.First, "ann", "bob", "cid")
	w.Advance(-time.Hour)
	wantReading(t, w.First, "zoe", false, false)
	wantGone(t, sweep(t, w.First))
	if err := w.First.Release(t.Context(), []presence.Report{{Lease: lease("cid")}}); err != nil {
		t.Fatal(err)
	}
	if r := renew(t, w.First, "ann"); r[0].Appeared || r[0].Idle > presencetest.TTL {
		t.Errorf("renewed: %+v", r[0])
	}
	wantGone(t, pass(t, w, presencetest.Rebuild+sweepStep, "ann"), "cid")
	wantGone(t, pass(t, w, presencetest.TTL-presencetest.Rebuild-2*sweepStep, "ann"))
	wantGone(t, pass(t, w, 2*sweepStep, "ann"), "bob")
	wantReading(t, w.Second, "ann", true, true)
}

// When the clock goes ahead, everybody seems to be gone, but nobody is.
func TestRedisClockGoesAhead(t *testing.T) {
	w := redisWorld(t)
	renew(t, w.First, "ann")
	w.Advance(time.Hour)
	wantGone(t, sweep(t, w.First))
	renew(t, w.First, "ann")
	wantReading(t, w.First, "ann", true, false)
	wantGone(t, pass(t, w, presencetest.TTL+sweepStep, "ann"))
	wantReading(t, w.First, "ann", true, true)
}

func TestRedisForgetsScripts(t *testing.T) {
	w := redisWorld(t)
	for range 3 {
		if err := server.Do(t.Context(), "script", "flush"); err != nil {
			t.Fatal(err)
		}
		renew(t, w.First, "ann", "bob", "cid")
		wantReading(t, w.Second, "ann", true, true)
		wantReading(t, w.Second, "zoe", false, true)
	}
	if err := server.Do(t.Context(), "script", "flush"); err != nil {
		t.Fatal(err)
	}
	wantGone(t, pass(t, w, presencetest.TTL+sweepStep), "ann", "bob", "cid")
}

// Redis Cluster refuses scripts that touch keys of more than one slot.
func TestRedisCluster(t *testing.T) {
	t.Parallel()
	s := ownRedis(t, "--cluster-enabled", "yes")
	if err := s.Do(t.Context(), "cluster", "addslotsrange", 0, 16383); err != nil {
		t.Fatal(err)
	}
	back(t, open(t, s.URL()))
	w := worldOn(t, s)
	var users []string
	for i := range 100 {
		users = append(users, fmt.Sprint("user", i))
	}
	renew(t, w.First, users...)
	wantReading(t, w.Second, users[7], true, true)
	if err := w.First.Release(t.Context(), []presence.Report{{Lease: lease(users[0])}}); err != nil {
		t.Fatal(err)
	}
	wantGone(t, pass(t, w, presencetest.Grace+sweepStep), users[0])
	wantGone(t, pass(t, w, presencetest.TTL), users[1:]...)
}

// A node that is cut off cannot renew: its people go offline, and return with it.
func TestRedisPartition(t *testing.T) {
	t.Parallel()
	s := ownRedis(t)
	w := worldOn(t, s)
	cut := &partition{}
	alone := openWith(t, presence.RedisConfig{URL: s.URL()}.WithDial(cut.dial))
	back(t, alone)
	renew(t, alone, "ann")
	renew(t, w.First, "bob")
	cut.on.Store(true)
	wantOpen(t, alone)
	wantGone(t, pass(t, w, presencetest.TTL-sweepStep, "bob"))
	wantGone(t, pass(t, w, 2*sweepStep, "bob"), "ann")
	cut.on.Store(false)
	back(t, alone)
	if r := renew(t, alone, "ann"); !r[0].Appeared {
		t.Error("ann came back unnoticed")
	}
	wantReading(t, w.First, "ann", true, true)
	wantReading(t, alone, "bob", true, true)
}

// However many users there are: one request, one answer.
func TestRedisOneRoundTrip(t *testing.T) {
	redisWorld(t)
	var writes atomic.Int64
	counted := openWith(t, presence.RedisConfig{URL: server.URL()}.Patient().WithDial(
		func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			return &counting{c, &writes}, err
		}))
	users := make([]string, 500)
	for i := range users {
		users[i] = fmt.Sprintf("0199a3b2-0000-7000-8000-%012d", i)
	}
	read := func() {
		readings, err := counted.Read(t.Context(), users)
		if err != nil || len(readings) != len(users) {
			t.Fatalf("%d readings, %v", len(readings), err)
		}
	}
	read() // connects, and loads the script
	before := writes.Load()
	read()
	if n := writes.Load() - before; n != 1 {
		t.Errorf("reading 500 users took %d requests", n)
	}
}

func TestRedisSetting(t *testing.T) {
	const secret = "s3cret"
	for _, url := range []string{"", "redis", "http://:" + secret + "@host", "redis://host/x" + secret} {
		_, err := presence.OpenRedis(presence.RedisConfig{URL: url})
		if err == nil {
			t.Errorf("%q is accepted as a Redis", url)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
