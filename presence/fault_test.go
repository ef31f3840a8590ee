package presence_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/presence"
	"fechatter/presence/presencetest"
)

const (
	sweepStep = 5 * time.Second
	recovery  = time.Minute // within which what was broken works again
)

func lease(user string) presence.Lease { return presence.Lease{ID: user + "/1", UserID: user} }

func renew(t *testing.T, l presence.Leases, users ...string) []presence.Renewed {
	t.Helper()
	renewed, err := tryRenew(t, l, users...)
	if err != nil {
		t.Fatal(err)
	}
	return renewed
}

func tryRenew(t *testing.T, l presence.Leases, users ...string) ([]presence.Renewed, error) {
	t.Helper()
	renewals := make([]presence.Report, len(users))
	for i, u := range users {
		renewals[i] = presence.Report{Lease: lease(u), Idle: -1}
	}
	return l.Renew(t.Context(), renewals)
}

func wantReading(t *testing.T, l presence.Leases, user string, here, known bool) {
	t.Helper()
	r, err := l.Read(t.Context(), []string{user})
	if err != nil {
		t.Fatal(err)
	}
	if r[0].Here != here || r[0].Known != known {
		t.Errorf("%s: here %v, known %v; want %v, %v", user, r[0].Here, r[0].Known, here, known)
	}
}

func wantGone(t *testing.T, gone []presence.Departure, users ...string) {
	t.Helper()
	told := map[string]int{}
	for _, d := range gone {
		told[d.UserID]++
	}
	for _, u := range users {
		if told[u] != 1 {
			t.Errorf("%s was reported gone %d times", u, told[u])
		}
		delete(told, u)
	}
	if len(told) > 0 {
		t.Errorf("also reported gone: %v", told)
	}
}

// pass lets time pass while both nodes sweep and the first renews some users.
func pass(t *testing.T, w presencetest.World, d time.Duration, renewed ...string) []presence.Departure {
	t.Helper()
	var gone []presence.Departure
	for ; d > 0; d -= sweepStep {
		w.Advance(min(sweepStep, d))
		if len(renewed) > 0 {
			renew(t, w.First, renewed...)
		}
		gone = append(gone, sweep(t, w.First)...)
		gone = append(gone, sweep(t, w.Second)...)
	}
	return gone
}

// wantOpen makes calls fail until the breaker refuses them in place of Redis.
func wantOpen(t *testing.T, l presence.Leases) {
	t.Helper()
	for n := 0; ; n++ {
		_, err := l.Read(t.Context(), []string{"ann"})
		if errors.Is(err, presence.ErrUnavailable) {
			break
		}
		if err == nil || n > 10 {
			t.Fatalf("call %d: %v", n, err)
		}
	}
	for what, try := range map[string]func() error{
		"renew":   func() error { _, err := tryRenew(t, l, "ann"); return err },
		"release": func() error { return l.Release(t.Context(), []presence.Report{{Lease: lease("ann")}}) },
		"sweep":   func() error { _, err := l.Sweep(t.Context()); return err },
	} {
		if try() == nil {
			t.Error(what, "succeeds")
		}
	}
}

// A Redis that swallows everything costs each call its timeout, until the
// breaker refuses calls at once; one call a second then looks for it again.
func TestSilentRedisCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silence := &partition{}
		silence.on.Store(true)
		l, err := presence.OpenRedis(presence.RedisConfig{URL: "redis://nowhere:1"}.WithDial(silence.dial))
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}()
		read := func() (time.Duration, error) {
			start := time.Now()
			_, err := l.Read(t.Context(), []string{"ann"})
			return time.Since(start), err
		}
		for {
			took, err := read()
			if errors.Is(err, presence.ErrUnavailable) {
				break
			}
			if err == nil || took > presence.CallTimeout {
				t.Fatalf("a call took %v: %v", took, err)
			}
		}
		start := time.Now()
		for range 1000 {
			if _, err := read(); err == nil {
				t.Fatal("a call succeeds")
			}
		}
		if took := time.Since(start); took > presence.CallTimeout {
			t.Errorf("1000 calls took %v", took)
		}
	})
}

// back waits until calls succeed again.
func back(t *testing.T, l presence.Leases) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), recovery)
	defer cancel()
	for {
		_, err := l.Read(ctx, []string{"ann"})
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("not back: %v", err)
		}
	}
}

// partition swallows what is sent while it is on, as a broken network does.
type partition struct{ on atomic.Bool }

func (p *partition) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if p.on.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	return &partitioned{c, p}, err
}

type partitioned struct {
	net.Conn

	p *partition
}

func (c *partitioned) Write(b []byte) (int, error) {
	if c.p.on.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

type counting struct {
	net.Conn

	writes *atomic.Int64
}

func (c *counting) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}
