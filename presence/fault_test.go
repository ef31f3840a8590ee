package presence_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/presence"
	"fechatter/presence/presencetest"
)

const (
	sweepStep = 5 * time.Second
	bearable  = time.Second      // a call's own bound is 300 ms; the machine may be slow
	recovery  = 20 * time.Second // in which what was broken must work again
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
			t.Errorf("%s was told to be gone %d times", u, told[u])
		}
		delete(told, u)
	}
	if len(told) > 0 {
		t.Errorf("also told to be gone: %v", told)
	}
}

// pass lets time go by while both nodes sweep and the first renews some users.
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

// bounded fails when f takes longer than any call may.
func bounded(t *testing.T, f func() error) error {
	t.Helper()
	start := time.Now()
	err := f()
	if took := time.Since(start); took > bearable {
		t.Errorf("a call took %v", took)
	}
	return err
}

// wantOpen makes calls fail until the breaker answers for Redis, and looks that
// it answers all of them at once.
func wantOpen(t *testing.T, l presence.Leases) {
	t.Helper()
	for n := 0; ; n++ {
		err := bounded(t, func() error { _, err := l.Read(t.Context(), []string{"ann"}); return err })
		if errors.Is(err, presence.ErrUnavailable) {
			break
		}
		if err == nil || n > 10 {
			t.Fatalf("call %d: %v", n, err)
		}
	}
	err := bounded(t, func() error {
		for range 1000 { // at 300 ms each this would take minutes
			if _, err := l.Read(t.Context(), []string{"ann"}); err == nil {
				return errors.New("a call succeeds")
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for what, try := range map[string]func() error{
		"renew":   func() error { _, err := tryRenew(t, l, "ann"); return err },
		"release": func() error { return l.Release(t.Context(), []presence.Report{{Lease: lease("ann")}}) },
		"sweep":   func() error { _, err := l.Sweep(t.Context()); return err },
	} {
		if err := bounded(t, try); err == nil {
			t.Error(what, "succeeds")
		}
	}
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

// partition swallows what is sent while it is on, as a network does.
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
