package presence_test

import (
	"context"
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

// server is the Redis of this run, started by the first test that needs it.
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
		for range 5 { // a closed client may look for its Redis once more
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
			time.Sleep(time.Hour) // in the bubble: the process has run for a while
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

// redisWorld is two nodes on one Redis that has been empty for a long time.
func redisWorld(t *testing.T) presencetest.World {
	t.Helper()
	s := emptyRedis(t)
	return worldOn(t, s)
}

func worldOn(t *testing.T, s *redistest.Server) presencetest.World {
	t.Helper()
	w := presencetest.World{First: open(t, s.URL()), Second: open(t, s.URL()), Advance: advance(t, s)}
	passRebuild(t, w)
	return w
}

// passRebuild lets time pass until Redis knows who is absent.
func passRebuild(t *testing.T, w presencetest.World) {
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

// emptyRedis returns the shared server with nothing in it. No test ends or freezes it.
func emptyRedis(t testing.TB) *redistest.Server {
	t.Helper()
	s := startRedis(t, func() (*redistest.Server, error) {
		server.once.Do(func() { server.Server, server.err = redistest.Start(context.Background()) })
		return server.Server, server.err
	})
	if err := s.Empty(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// ownRedis starts a server that only this test uses.
func ownRedis(t *testing.T, settings ...string) *redistest.Server {
	t.Helper()
	s := startRedis(t, func() (*redistest.Server, error) { return redistest.Start(t.Context(), settings...) })
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startRedis skips the test in a short run, and without a Redis outside CI.
func startRedis(t testing.TB, start func() (*redistest.Server, error)) *redistest.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("Redis is left to the whole suite")
	}
	s, err := start()
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("Redis is not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// advance moves the clock of Redis. Real time that has passed since the last move
// counts, so that a slow machine does not add up its delays.
func advance(t *testing.T, s *redistest.Server) func(time.Duration) {
	last := time.Now()
	return func(d time.Duration) {
		t.Helper()
		now := time.Now()
		if err := s.Advance(t.Context(), "fechatter:presence:", d-now.Sub(last)); err != nil {
			t.Fatal(err)
		}
		last = now
	}
}

// open returns leases that wait as long as a busy machine needs.
func open(t testing.TB, url string) *presence.Redis {
	t.Helper()
	return openWith(t, presence.RedisConfig{URL: url}.Patient())
}

func openWith(t testing.TB, cfg presence.RedisConfig) *presence.Redis {
	t.Helper()
	r, err := presence.OpenRedis(cfg)
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
