package presence_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fechatter/presence"
	"fechatter/presence/presencetest"
	"fechatter/presence/redistest"
)

// server is the Redis of this run, started by the first test that asks.
var server struct {
	once sync.Once
	*redistest.Server
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.Server != nil {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop Redis:", err)
			code = 1
		}
	}
	if code == 0 {
		err := goleak.Find()
		for range 5 { // a client that was closed may look for its Redis once more
			if err == nil {
				break
			}
			err = goleak.Find()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func TestMemory(t *testing.T) {
	presencetest.Run(t, func(t *testing.T, part func(*testing.T, presencetest.World)) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Hour) // of the bubble: the process has run for a while
			m := presence.NewMemory()
			part(t, presencetest.World{First: m, Second: m, Advance: time.Sleep})
		})
	})
}

func TestRedis(t *testing.T) {
	presencetest.Run(t, func(t *testing.T, part func(*testing.T, presencetest.World)) {
		part(t, redisWorld(t))
	})
}

// redisWorld is two nodes on one Redis that has been empty for long.
func redisWorld(t *testing.T) presencetest.World {
	t.Helper()
	s := emptyRedis(t)
	w := presencetest.World{First: open(t, s.URL()), Second: open(t, s.URL()), Advance: advance(t, s)}
	settle(t, w)
	return w
}

// settle lets the time pass after which Redis knows who is absent.
func settle(t *testing.T, w presencetest.World) {
	t.Helper()
	for passed := time.Duration(0); passed <= presencetest.TTL; passed += 5 * time.Second {
		sweep(t, w.First)
		w.Advance(5 * time.Second)
	}
	sweep(t, w.First)
}

func sweep(t *testing.T, l presence.Leases) []presence.Departure {
	t.Helper()
	swept, err := l.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return swept.Gone
}

// emptyRedis gives the private server, without anything in it.
func emptyRedis(t testing.TB) *redistest.Server {
	t.Helper()
	server.once.Do(func() { server.Server, server.err = redistest.Start(context.Background()) })
	if server.err != nil && os.Getenv("CI") != "true" {
		t.Skip("Redis is not tested: ", server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	if err := errors.Join(server.Kill(), server.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	return server.Server
}

func advance(t *testing.T, s *redistest.Server) func(time.Duration) {
	return func(d time.Duration) {
		t.Helper()
		if err := s.Advance(t.Context(), "fechatter:presence:", d); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, url string) *presence.Redis {
	t.Helper()
	r, err := presence.OpenRedis(presence.RedisConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
