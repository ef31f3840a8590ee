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

// office is an indexer at work in a bubble of its own, with its clock.
type office struct {
	*testing.T
	engine *engine
	books  *books
	began  time.Time
	stops  []func()
}

func inOffice(t *testing.T, fn func(o *office)) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{T: t, engine: newEngine(), books: newBooks(), began: time.Now()}
		fn(o)
		for _, stop := range o.stops {
			stop()
		}
	})
}

// start runs an indexer until stop is called.
func (o *office) start(node string, change ...func(*Config)) (x *Indexer, stop func()) {
	cfg := Config{Node: node, PollEvery: time.Hour}
	for _, f := range change {
		f(&cfg)
	}
	x = New(cfg, Shared(o.engine), o.books, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(o.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := x.Run(ctx); err != nil {
			o.Error(err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	o.stops = append(o.stops, stop)
	synctest.Wait()
	return x, stop
}

// write stores messages and says so.
func (o *office) write(x *Indexer, numbers ...int) {
	for _, n := range numbers {
		o.books.write(n, fmt.Sprint("message ", n))
		x.Wake(1)
	}
}

// settle lets time pass and compares index and database.
func (o *office) settle(d time.Duration) {
	o.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got, want := o.engine.have(), o.books.versions(); !maps.Equal(got, want) {
		o.Errorf("after %s the index has %d documents, the database %d messages, or other versions", time.Since(o.began), len(got), len(want))
	}
}

func numbers(from, to int) (list []int) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

// A batch goes out when it is full, when it is old, or when nothing more comes.
func TestBatching(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		sent := func(at time.Duration, size int) {
			o.Helper()
			synctest.Wait()
			sizes, times := o.engine.log()
			if n := len(sizes); n == 0 || sizes[n-1] != size || times[n-1].Sub(o.began) != at {
				o.Errorf("batches %v at %v, want one of %d after %s", sizes, times, size, at)
			}
		}
		o.write(x, numbers(0, 10)...)
		sent(0, 10) // full
		o.write(x, 10, 11)
		time.Sleep(100 * time.Millisecond)
		sent(100*time.Millisecond, 2) // quiet
		for n := range 9 {
			o.write(x, 20+n)
			time.Sleep(99 * time.Millisecond)
		}
		time.Sleep(time.Second)
		sent(992*time.Millisecond, 9) // 100 ms after the last, which came at 892 ms
		o.settle(0)
	})
}

// A trickle that never pauses waits a second, not for ever.
func TestOldBatch(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a", func(c *Config) { c.BatchSize = 1000 })
		for n := range 30 {
			o.write(x, n)
			time.Sleep(90 * time.Millisecond)
		}
		synctest.Wait()
		if sizes, times := o.engine.log(); len(times) < 2 || times[0].Sub(o.began) != time.Second {
			o.Errorf("batches %v at %v", sizes, times)
		}
		o.settle(time.Second)
	})
}

func TestBacklog(t *testing.T) {
	inOffice(t, func(o *office) {
		o.books.write(0, "so that the index is not empty")
		o.engine.docs[name(0)] = Document{ID: name(0), Version: 1}
		for n := range 2500 {
			o.books.write(n, "old")
		}
		o.start("a")
		o.settle(0)
		if sizes, _ := o.engine.log(); !slices.Equal(sizes, []int{1000, 1000, 500}) {
			o.Errorf("batches %v", sizes)
		}
		if o.books.waiting() != 0 {
			o.Errorf("%d are left", o.books.waiting())
		}
	})
}

// What other nodes store is found by looking.
func TestOtherNodesChanges(t *testing.T) {
	inOffice(t, func(o *office) {
		o.start("a", func(c *Config) { c.PollEvery = 250 * time.Millisecond })
		o.books.write(1, "by another node")
		o.settle(250 * time.Millisecond)
	})
}

// While the engine is away changes wait; then they are indexed, and the index is
// looked at anew before.
func TestEngineAway(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		o.write(x, 1, 2)
		o.settle(time.Second)
		o.engine.set(true)
		prepared := o.engine.preparations()
		o.write(x, 3)
		o.books.erase(1)
		x.Wake(1)
		time.Sleep(time.Minute)
		tries := o.engine.preparations() - prepared
		if tries < 5 || tries > 20 {
			o.Errorf("tried %d times in a minute", tries)
		}
		if o.books.waiting() != 2 {
			o.Errorf("%d wait", o.books.waiting())
		}
		o.engine.set(false)
		o.settle(longestPause)
		if x.Stats().Failures == 0 {
			o.Error("nobody counted the failures")
		}
	})
}

func TestPoison(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		for n := range 30 {
			body := "sound"
			if n%10 == 3 {
				body = "poison"
			}
			o.books.write(n, body)
		}
		x.Wake(30)
		time.Sleep(time.Second)
		synctest.Wait()
		if have := o.engine.have(); len(have) != 27 || o.books.waiting() != 3 || x.Stats().Refused != 3 {
			o.Errorf("%d are indexed, %d wait, %d refused", len(have), o.books.waiting(), x.Stats().Refused)
		}
		before, _ := o.engine.log()
		o.write(x, 40)
		time.Sleep(time.Minute)
		synctest.Wait()
		if after, _ := o.engine.log(); len(after)-len(before) != 1 {
			o.Errorf("%d batches for one more message: the refused are tried again", len(after)-len(before))
		}
		o.write(x, 3, 13, 23) // edited: no poison any more
		o.settle(time.Second)
	})
}

// A message that changes while its former version is indexed stays in the outbox.
func TestChangeDuringApply(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		o.engine.during = func() { o.write(x, 1) }
		o.write(x, 1)
		o.settle(time.Second)
	})
}

// One node indexes at a time, another takes over from one that stops at once, and
// from one that is cut off within ten seconds.
func TestTakeover(t *testing.T) {
	inOffice(t, func(o *office) {
		one, stop := o.start("a")
		two, _ := o.start("b")
		three, _ := o.start("c")
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
			o.Error("not the first one leads")
		}
		stop()
		time.Sleep(2 * time.Second)
		if leading() != 1 {
			o.Errorf("%d lead after the first stopped", leading())
		}
		led, cut := two, "b"
		if three.Stats().Leading {
			led, cut = three, "c"
		}
		o.books.mu.Lock()
		o.books.cut[cut] = true
		o.books.mu.Unlock()
		time.Sleep(10 * time.Second)
		if leading() != 1 || led.Stats().Leading {
			o.Errorf("%d lead after one was cut off", leading())
		}
		o.write(two, 1)
		o.write(three, 2)
		o.settle(time.Second)
	})
}

// A node that stood still between reading and writing has lost the lease, and
// must not write what has become old.
func TestStandstill(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		o.write(x, 0)
		o.settle(time.Second)
		o.books.mu.Lock()
		o.books.slow = 5 * time.Second
		o.books.mu.Unlock()
		o.books.write(1, "first")
		x.Wake(1)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if sizes, _ := o.engine.log(); len(sizes) != 1 {
			o.Error("what was read long ago was written")
		}
		o.books.mu.Lock()
		o.books.slow = 0
		o.books.mu.Unlock()
		o.settle(time.Minute)
	})
}

func TestBreaker(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		search := func(want chat.Code) {
			o.Helper()
			if _, err := x.Search(o.Context(), chat.IndexQuery{Limit: 1}); chat.CodeOf(err) != want {
				o.Errorf("got %v, want %q", err, want)
			}
		}
		search("")
		o.engine.set(true)
		for range breakerFailures {
			search(chat.Unavailable)
		}
		o.engine.set(false)
		search(chat.Unavailable) // nobody asks
		time.Sleep(breakerPause)
		search("")
		search("")
	})
}
