package hub

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/postgrestest"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// BenchmarkPositionCheck is one second of position checks over 10,000 streams: chats in which nothing happens, and the
// personal streams of their users, which never back off. cpu-% is this process' share of one core; PostgreSQL's own
// work is not in it. The last is the same while the bus is lost: every stream, four times a second.
func BenchmarkPositionCheck(b *testing.B) {
	for _, personal := range []int{500, 2000} {
		name := map[int]string{500: "chats=9500/users=500", 2000: "chats=8000/users=2000"}[personal]
		b.Run("free/"+name, func(b *testing.B) { benchmarkPositionCheck(b, free{}, personal, false) })
		b.Run("sqlite/"+name, func(b *testing.B) {
			benchmarkPositionCheck(b, stored{openStore(b, "sqlite:"+b.TempDir()+"/f.db")}, personal, false)
		})
		b.Run("postgres/"+name, func(b *testing.B) {
			benchmarkPositionCheck(b, stored{openStore(b, postgresURL(b))}, personal, false)
		})
	}
	b.Run("postgres/lost", func(b *testing.B) { benchmarkPositionCheck(b, stored{openStore(b, postgresURL(b))}, 500, true) })
}

const checkedStreams = 10000

// canaries is a store that makes rows of streams.
type canaries interface {
	Source
	make(ctx context.Context, id string) error
}

func benchmarkPositionCheck(b *testing.B, src canaries, personal int, lost bool) {
	h := New(Config{}, src, newMedium(), quiet()) // not run: the benchmark is its clock
	ids := make([]string, checkedStreams)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7()).String()
	}
	var work errgroup.Group
	work.SetLimit(32)
	for _, id := range ids {
		work.Go(func() error { return src.make(b.Context(), id) })
	}
	if err := work.Wait(); err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	c := &Conn{hub: h}
	for i, id := range ids {
		s := h.streams.pin(id, func() *stream { return newStream(h, id) })
		s.mu.Lock()
		s.personal = i < personal
		s.place(1, now)
		s.subs.add(sub{conn: c, added: 1})
		s.mu.Unlock()
	}
	tick := h.cfg.CheckEvery / checkTicks
	if lost {
		tick = h.cfg.CheckLost
	}
	second := func() {
		for range time.Second / tick {
			now = now.Add(tick)
			if err := h.checkRound(b.Context(), now, lost); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 30 { // until the chats have backed off
		second()
	}
	runtime.GC()
	began, seconds := cpuTime(b), 0
	for b.Loop() {
		second()
		seconds++
	}
	b.ReportMetric(100*(cpuTime(b)-began).Seconds()/float64(seconds), "cpu-%")
	if s := h.Stats(); s.RepairsCheck > 0 || s.Resets > 0 {
		b.Fatalf("%+v: nothing was to be found", s)
	}
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// free answers at once what the streams have.
type free struct{ Source }

func (free) make(context.Context, string) error { return nil }

func (free) Positions(_ context.Context, ids []string) (string, map[string]int64, error) {
	last := make(map[string]int64, len(ids))
	for _, id := range ids {
		last[id] = 1
	}
	return "e", last, nil
}

// stored answers from a database.
type stored struct{ *persistence.Store }

func (s stored) make(ctx context.Context, id string) error {
	_, err := s.Canary(ctx, id)
	return err
}

func (stored) Events(context.Context, string, int64, int) ([]Event, error) {
	return nil, errors.New("nothing is to be repaired")
}

func (stored) EventsFor(context.Context, string, string, int64, int) (Page, error) {
	return Page{}, errors.New("nothing is to be replayed")
}

type toNobody struct{}

func (toNobody) Publish([]chat.Event) {}

func openStore(b *testing.B, url string) *persistence.Store {
	store, err := persistence.Open(b.Context(), persistence.Config{URL: url}, toNobody{}, uuid.NewString, quiet())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return store
}

func postgresURL(b *testing.B) string {
	server, err := postgrestest.Start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	url, err := server.Database(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return url
}
