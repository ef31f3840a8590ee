package indexer

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// rig runs indexers in a bubble with its own clock.
type rig struct {
	*testing.T
	engine *fakeEngine
	store  *fakeStore
	began  time.Time
	stops  []func()
}

func withRig(t *testing.T, fn func(r *rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, engine: newFakeEngine(), store: newFakeStore(), began: time.Now()}
		fn(r)
		for _, stop := range r.stops {
			stop()
		}
	})
}

// start runs an indexer until stop is called.
func (r *rig) start(node string, change ...func(*Config)) (x *Indexer, stop func()) {
	cfg := Config{Node: node, PollEvery: time.Hour}
	for _, f := range change {
		f(&cfg)
	}
	x = New(cfg, Shared(r.engine), r.store, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(r.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := x.Run(ctx); err != nil {
			r.Error(err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	r.stops = append(r.stops, stop)
	synctest.Wait()
	return x, stop
}

// write stores messages and wakes the indexer.
func (r *rig) write(x *Indexer, numbers ...int) {
	for _, n := range numbers {
		r.store.write(n, fmt.Sprint("message ", n))
		x.Wake(1)
	}
}

// converges lets time pass and then compares index and database.
func (r *rig) converges(d time.Duration) {
	r.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got, want := r.engine.have(), r.store.versions(); !maps.Equal(got, want) {
		r.Errorf("after %s the index has %d documents, the database %d messages, or their versions differ", time.Since(r.began), len(got), len(want))
	}
}

func numbers(from, to int) (list []int) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

// A batch is indexed when it is full, when it is old, or when changes pause.
func TestBatching(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		sent := func(at time.Duration, size int) {
			r.Helper()
			synctest.Wait()
			sizes, times := r.engine.log()
			if n := len(sizes); n == 0 || sizes[n-1] != size || times[n-1].Sub(r.began) != at {
				r.Errorf("batches %v at %v, want one of %d after %s", sizes, times, size, at)
			}
		}
		r.write(x, numbers(0, 10)...)
		sent(0, 10) // full
		r.write(x, 10, 11)
		time.Sleep(100 * time.Millisecond)
		sent(100*time.Millisecond, 2) // quiet
		for n := range 9 {
			r.write(x, 20+n)
			time.Sleep(99 * time.Millisecond)
		}
		time.Sleep(time.Second)
		sent(992*time.Millisecond, 9) // 100 ms after the last, which came at 892 ms
		r.converges(0)
	})
}

// A change in a trickle that never pauses waits a second, not forever.
func TestOldBatch(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a", func(c *Config) { c.BatchSize = 1000 })
		for n := range 30 {
			r.write(x, n)
			time.Sleep(90 * time.Millisecond)
		}
		synctest.Wait()
		if sizes, times := r.engine.log(); len(times) < 2 || times[0].Sub(r.began) != time.Second {
			r.Errorf("batches %v at %v", sizes, times)
		}
		r.converges(time.Second)
	})
}

func TestBacklog(t *testing.T) {
	withRig(t, func(r *rig) {
		r.store.write(0, "keeps the index from being empty")
		r.engine.docs[name(0)] = Document{ID: name(0), Version: 1}
		for n := range 2500 {
			r.store.write(n, "old")
		}
		r.start("a")
		r.converges(0)
		if sizes, _ := r.engine.log(); !slices.Equal(sizes, []int{1000, 1000, 500}) {
			r.Errorf("batches %v", sizes)
		}
		if r.store.waiting() != 0 {
			r.Errorf("%d changes are still waiting", r.store.waiting())
		}
	})
}

// Other nodes' changes are found by polling.
func TestOtherNodesChanges(t *testing.T) {
	withRig(t, func(r *rig) {
		r.start("a", func(c *Config) { c.PollEvery = 250 * time.Millisecond })
		r.store.write(1, "by another node")
		r.converges(250 * time.Millisecond)
	})
}

// While the engine is down, changes wait; afterwards the index is prepared again and
// they are indexed.
func TestEngineDown(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		r.write(x, 1, 2)
		r.converges(time.Second)
		r.engine.set(true)
		prepared := r.engine.preparations()
		r.write(x, 3)
		r.store.erase(1)
		x.Wake(1)
		time.Sleep(time.Minute)
		tries := r.engine.preparations() - prepared
		if tries < 5 || tries > 20 {
			r.Errorf("tried %d times in a minute", tries)
		}
		if r.store.waiting() != 2 {
			r.Errorf("%d changes are waiting, want 2", r.store.waiting())
		}
		r.engine.set(false)
		r.converges(longestPause)
		if x.Stats().Failures == 0 {
			r.Error("the failures were not counted")
		}
	})
}

func TestPoison(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		for n := range 30 {
			body := "sound"
			if n%10 == 3 {
				body = "poison"
			}
			r.store.write(n, body)
		}
		x.Wake(30)
		time.Sleep(time.Second)
		synctest.Wait()
		if have := r.engine.have(); len(have) != 27 || r.store.waiting() != 3 || x.Stats().Refused != 3 {
			r.Errorf("%d indexed, %d waiting, %d refused", len(have), r.store.waiting(), x.Stats().Refused)
		}
		before, _ := r.engine.log()
		r.write(x, 40)
		time.Sleep(time.Minute)
		synctest.Wait()
		if after, _ := r.engine.log(); len(after)-len(before) != 1 {
			r.Errorf("%d batches for one more message: refused ones were retried", len(after)-len(before))
		}
		r.write(x, 3, 13, 23) // edited: no longer poison
		r.converges(time.Second)
	})
}

// A message that changes while its previous version is being indexed stays in the
// outbox.
func TestChangeDuringApply(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		r.engine.during = func() { r.write(x, 1) }
		r.write(x, 1)
		r.converges(time.Second)
	})
}

// One node indexes at a time. Another takes over at once from one that stops, and
// within ten seconds from one that is cut off.
func TestTakeover(t *testing.T) {
	withRig(t, func(r *rig) {
		one, stop := r.start("a")
		two, _ := r.start("b")
		three, _ := r.start("c")
		leading := func() (n int) {
			synctest.Wait()
			for _, x := range []*Indexer{one, two, three} {
				if x.Stats().Leading {
					n++
				}
			}
			return n
		}
		if leading() != 1 || !one.Stats().Leading {
			r.Error("the first node does not lead")
		}
		stop()
		time.Sleep(2 * time.Second)
		if leading() != 1 {
			r.Errorf("%d nodes lead after the first stopped", leading())
		}
		led, cut := two, "b"
		if three.Stats().Leading {
			led, cut = three, "c"
		}
		r.store.mu.Lock()
		r.store.cut[cut] = true
		r.store.mu.Unlock()
		time.Sleep(10 * time.Second)
		if leading() != 1 || led.Stats().Leading {
			r.Errorf("%d nodes lead after one was cut off", leading())
		}
		r.write(two, 1)
		r.write(three, 2)
		r.converges(time.Second)
	})
}

// A node that stood still between reading and writing has lost the lease and must
// not write what is outdated by now.
func TestStandstill(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		r.write(x, 0)
		r.converges(time.Second)
		r.store.mu.Lock()
		r.store.slow = 5 * time.Second
		r.store.mu.Unlock()
		r.store.write(1, "first")
		x.Wake(1)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if sizes, _ := r.engine.log(); len(sizes) != 1 {
			r.Error("wrote what it had read long before")
		}
		r.store.mu.Lock()
		r.store.slow = 0
		r.store.mu.Unlock()
		r.converges(time.Minute)
	})
}

func TestBreaker(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		search := func(want chat.Code) {
			r.Helper()
			if _, err := x.Search(r.Context(), chat.IndexQuery{Limit: 1}); chat.CodeOf(err) != want {
				r.Errorf("got %v, want %q", err, want)
			}
		}
		search("")
		r.engine.set(true)
		for range breakerFailures {
			search(chat.Unavailable)
		}
		r.engine.set(false)
		search(chat.Unavailable) // the breaker is open
		time.Sleep(breakerPause)
		search("")
		search("")
	})
}
