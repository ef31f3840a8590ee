package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/server"
)

// node is what health probes; each part can be broken.
type node struct {
	mu                       sync.Mutex
	n                        int64
	writeErr, readErr, noBus error
	lose                     bool          // reads do not see what was written
	slow                     time.Duration // of a write
	stuck                    chan struct{} // holds a write, whatever its context
}

func (f *node) set(change func(*node)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *node) WriteCanary(ctx context.Context, _ string) (int64, error) {
	f.mu.Lock()
	slow, stuck := f.slow, f.stuck
	f.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(slow):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	return f.n, f.writeErr
}

func (f *node) ReadCanary(context.Context, string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lose {
		return 0, f.readErr
	}
	return f.n, f.readErr
}

func (f *node) Echo(context.Context, []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.noBus
}

var errBroken = errors.New("broken at /var/lib/secret")

// watch runs a health over f in a synctest bubble.
func watch(t *testing.T, f *node, test func(h *health)) {
	t.Helper()
	watchLog(t, f, quiet(), test)
}

// watchLog is watch with a log, and what the health is given before it runs.
func watchLog(t *testing.T, f *node, log *slog.Logger, test func(h *health), given ...func(h *health)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHealth("n1", "sqlite", f, f, func() (diskSpace, error) { return diskSpace{free: 1 << 40, total: 2 << 40}, nil }, log)
		for _, give := range given {
			give(h)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- h.Run(ctx) }()
		test(h)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// after lets the bubble's time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func status(h *health) server.HealthStatus { return h.Health().Status }

func partOf(h *health, name string) server.HealthPart {
	for _, p := range h.Health().Parts {
		if p.Name == name {
			return p
		}
	}
	return server.HealthPart{}
}

func TestHealthyNode(t *testing.T) {
	h := newHealth("n1", "sqlite", nil, nil, nil, quiet())
	if status(h) != server.Fail {
		t.Error("a node that was never probed is ready")
	}
	f := &node{slow: 30 * time.Millisecond}
	watch(t, f, func(h *health) {
		after(100 * time.Millisecond)
		if status(h) != server.Pass {
			t.Errorf("%+v", h.Health())
		}
		if p := partOf(h, "sqlite"); p.Value != 30.0 || p.Unit != "ms" {
			t.Errorf("a write of 30 ms is shown as %v %s", p.Value, p.Unit)
		}
		if p := partOf(h, "disk"); p.Value != uint64(1<<40) {
			t.Errorf("disk: %+v", p)
		}
		after(10 * time.Second)
		if n, _ := f.ReadCanary(t.Context(), ""); n != 11 {
			t.Errorf("%d canaries in 10 s, want one a second", n)
		}
	})
}

func TestDatabaseThatRefusesWritesFailsTheNode(t *testing.T) {
	f := &node{}
	watch(t, f, func(h *health) {
		after(1500 * time.Millisecond)
		f.set(func(f *node) { f.writeErr = errBroken })
		after(time.Second)
		if status(h) != server.Warn {
			t.Errorf("after one failure: %s, want warn", status(h))
		}
		after(1600 * time.Millisecond)
		if status(h) != server.Fail {
			t.Errorf("2.6 s after the last good write: %s, want fail", status(h))
		}
		f.set(func(f *node) { f.writeErr = nil })
		after(time.Second)
		if status(h) != server.Pass {
			t.Errorf("a second after it recovered: %s", status(h))
		}
	})
}

func TestSlowDatabaseIsBounded(t *testing.T) {
	f := &node{slow: time.Hour}
	watch(t, f, func(h *health) {
		after(700 * time.Millisecond)
		if p := partOf(h, "sqlite"); p.Status != server.Fail || p.Value != 500.0 {
			t.Errorf("a hanging write: %+v", p)
		}
		if p := partOf(h, "nats"); p.Status != server.Pass {
			t.Errorf("the bus was not probed: %+v", p)
		}
	})
}

func TestStuckProbeFailsTheNodeAndBlocksNobody(t *testing.T) {
	f := &node{}
	watch(t, f, func(h *health) {
		after(1500 * time.Millisecond)
		stuck := make(chan struct{})
		f.set(func(f *node) { f.stuck = stuck })
		after(6 * time.Second)
		if status(h) != server.Fail {
			t.Errorf("status %s while the probe hangs", status(h))
		}
		f.set(func(f *node) { f.stuck = nil })
		close(stuck)
		after(2 * time.Second)
		if status(h) != server.Pass {
			t.Errorf("status %s after it continued", status(h))
		}
	})
}

func TestLostBusOnlyWarns(t *testing.T) {
	f := &node{noBus: errBroken}
	watch(t, f, func(h *health) {
		after(10500 * time.Millisecond)
		if status(h) != server.Warn || partOf(h, "nats").Status != server.Warn || partOf(h, "canary").Status != server.Pass {
			t.Errorf("%+v", h.Health())
		}
	})
}

// A part that fails the first probe may still be starting: that is not news yet.
func TestFailuresAreLoggedOnce(t *testing.T) {
	var logged strings.Builder
	log := slog.New(slog.NewTextHandler(&logged, nil))
	f := &node{noBus: errBroken}
	watchLog(t, f, log, func(h *health) {
		expect := func(what string, warnings, recoveries int) {
			t.Helper()
			if w, n := strings.Count(logged.String(), "is failing"), strings.Count(logged.String(), "has recovered"); w != warnings || n != recoveries {
				t.Errorf("%s: %d warnings, %d recoveries, want %d and %d", what, w, n, warnings, recoveries)
			}
		}
		bus := func(err error) { f.set(func(f *node) { f.noBus = err }) }
		after(500 * time.Millisecond)
		bus(nil)
		after(time.Second)
		expect("a bus that was starting", 0, 0)
		bus(errBroken)
		after(3 * time.Second)
		expect("a lost bus", 1, 0)
		bus(nil)
		after(3 * time.Second)
		expect("a bus that is back", 1, 1)
	})
	logged.Reset()
	watchLog(t, &node{noBus: errBroken}, log, func(*health) {
		after(1500 * time.Millisecond)
		if !strings.Contains(logged.String(), "is failing") {
			t.Error("nothing is logged of a bus that never comes")
		}
	})
}

func TestCanaryThatIsNeverSeenFailsTheNode(t *testing.T) {
	for name, breakIt := range map[string]func(*node){
		"not readable": func(f *node) { f.readErr = errBroken },
		"not there":    func(f *node) { f.lose = true },
	} {
		f := &node{noBus: errBroken}
		breakIt(f)
		watch(t, f, func(h *health) {
			after(5 * time.Second)
			if status(h) != server.Fail || partOf(h, "sqlite").Status != server.Pass {
				t.Errorf("%s: %+v", name, h.Health())
			}
			f.set(func(f *node) { f.noBus = nil }) // the bus alone is enough
			after(1500 * time.Millisecond)
			if status(h) != server.Pass {
				t.Errorf("%s, but with a bus: %+v", name, h.Health())
			}
		})
	}
}

func TestDrainingNodeIsNotReady(t *testing.T) {
	watch(t, &node{}, func(h *health) {
		after(1500 * time.Millisecond)
		h.Drain()
		if status(h) != server.Fail {
			t.Error("draining and ready")
		}
		after(5 * time.Second)
		if status(h) != server.Fail || partOf(h, "node").Value != "draining" {
			t.Errorf("%+v", h.Health())
		}
	})
}

func TestReportsHoldNoErrorTexts(t *testing.T) {
	f := &node{writeErr: errBroken, noBus: errBroken}
	watch(t, f, func(h *health) {
		after(5 * time.Second)
		for _, p := range h.Health().Parts {
			if text, ok := p.Value.(string); ok && strings.Contains(text, "secret") {
				t.Errorf("%s shows %q", p.Name, text)
			}
		}
	})
}

func TestLowDisk(t *testing.T) {
	for _, s := range []struct {
		space diskSpace
		low   bool
	}{
		{diskSpace{free: 100 << 30, total: 4000 << 30}, false},
		{diskSpace{free: 1 << 30, total: 4000 << 30}, true},
		{diskSpace{free: 1 << 30, total: 8 << 30}, false},
		{diskSpace{free: 0, total: 1 << 30}, true},
	} {
		if got := s.space.low(); got != s.low {
			t.Errorf("%+v low: %v", s.space, got)
		}
	}
	small, large := diskSpace{free: 1 << 30, total: 8 << 30}, diskSpace{free: 1900 << 20, total: 4000 << 30}
	if small.tighter(large) || !large.tighter(small) || !small.tighter(diskSpace{free: 3 << 30, total: 8 << 30}) {
		t.Error("another disk is nearer to its end")
	}
}

// TestDisk: a node watches the disks on which it keeps anything, also those where it has yet
// to make a folder.
func TestDisk(t *testing.T) {
	data := t.TempDir()
	for name, c := range map[string]struct {
		search, database string
		watched          bool
	}{
		"alone":                  {"bleve:" + data + "/search", "sqlite:" + data + "/chat.db", true},
		"alone with Meilisearch": {"http://127.0.0.1:7700", "sqlite:" + data + "/chat.db", true},
		"cluster with Bleve":     {"bleve:" + data + "/not/yet/made", "postgres://x/y", true},
		"a folder from here":     {"bleve:not/yet/made", "postgres://x/y", true},
		"cluster":                {"http://127.0.0.1:7700", "postgres://x/y", false},
	} {
		probe := (&Node{config: Config{Search: c.search, Database: c.database}}).disk()
		if (probe != nil) != c.watched {
			t.Errorf("%s: watched is %v", name, probe != nil)
		}
		if probe == nil {
			continue
		}
		if s, err := probe(); err != nil || s.total == 0 || s.free > s.total {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if _, err := spaceOf("/dev/null/file"); err == nil {
		t.Error("what is no folder has a disk")
	}
}

// TestDiskBehindALink: a database that is a link fills the disk of its file.
func TestDiskBehindALink(t *testing.T) {
	elsewhere, err := os.MkdirTemp("/dev/shm", "fechatter-")
	if err != nil {
		t.Skipf("no other disk here: %v", err)
	}
	defer os.RemoveAll(elsewhere)
	file, link := filepath.Join(elsewhere, "chat.db"), filepath.Join(t.TempDir(), "chat.db")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	want, err := spaceOf(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	probe := (&Node{config: Config{Search: "http://127.0.0.1:7700", Database: "sqlite:" + link}}).disk()
	if got, err := probe(); err != nil || got.total != want.total {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// frozen is a Redis that answers unless it hangs.
type frozen struct{ hung atomic.Bool }

func (f *frozen) Ping(ctx context.Context) error {
	if f.hung.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// Redis only ever warns, and if it hangs, the other probes do not.
func TestRedisOnlyWarns(t *testing.T) {
	redis := &frozen{}
	watchLog(t, &node{}, quiet(), func(h *health) {
		after(100 * time.Millisecond)
		if p := partOf(h, "redis"); p.Status != server.Pass || p.Metric != "responseTime" || status(h) != server.Pass {
			t.Errorf("well: %+v, node %s", p, status(h))
		}
		redis.hung.Store(true)
		after(5 * time.Second)
		if p := partOf(h, "redis"); p.Status != server.Warn || status(h) != server.Warn {
			t.Errorf("hung: %+v, node %s", p, status(h))
		}
		if p := partOf(h, "sqlite"); p.Status != server.Pass || time.Since(p.Time) > 2*time.Second {
			t.Errorf("beside a hung Redis: %+v", p)
		}
	}, func(h *health) { h.redis = redis })
}
