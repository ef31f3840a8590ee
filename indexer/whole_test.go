package indexer

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// noPeers stands for other nodes that do not answer.
type noPeers struct{}

func (noPeers) Search(context.Context, chat.IndexQuery) (chat.IndexHits, error) {
	return chat.IndexHits{}, errAway
}

// startOwn runs an indexer with an index of its own until stop is called.
func (r *rig) startOwn(node string, own *ownEngine) (x *Indexer, stop func()) {
	engine := Private(func() (Index, error) { return own, nil }, noPeers{})
	x = New(Config{Node: node, PollEvery: 100 * time.Millisecond}, engine, r.store, slog.New(slog.DiscardHandler))
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

func (r *rig) answers(x *Indexer, want chat.Code) {
	r.Helper()
	if _, err := x.Search(r.Context(), chat.IndexQuery{Limit: 1}); chat.CodeOf(err) != want {
		r.Errorf("got %v, want %q", err, want)
	}
}

func (r *rig) has(own *ownEngine) {
	r.Helper()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	if got, want := own.have(), r.store.versions(); !maps.Equal(got, want) {
		r.Errorf("the index has %d documents, the database %d messages, or their versions differ", len(got), len(want))
	}
}

// keptByTwo lets node a index 100 messages, and node b 30 more and some changes.
func (r *rig) keptByTwo() (first *ownEngine) {
	first, second := &ownEngine{fakeEngine: newFakeEngine()}, &ownEngine{fakeEngine: newFakeEngine()}
	x, stop := r.startOwn("a", first)
	r.write(x, numbers(0, 100)...)
	r.has(first)
	r.answers(x, "")
	stop()
	x, stop = r.startOwn("b", second)
	r.write(x, numbers(100, 130)...)
	r.write(x, 0, 7)
	r.store.erase(1)
	r.has(second)
	r.answers(x, "")
	stop()
	return first
}

// TestChangeOfKeeper: an index that missed what another node indexed is not searched until
// it has caught up, which begins where it left off.
func TestChangeOfKeeper(t *testing.T) {
	withRig(t, func(r *rig) {
		first := r.keptByTwo()
		var x *Indexer
		began := make(chan struct{})
		pages := 0
		r.store.catching = func() {
			<-began
			pages++
			r.answers(x, chat.Unavailable)
		}
		x, stop := r.startOwn("a", first)
		close(began)
		r.has(first)
		r.answers(x, "")
		if pages == 0 || r.store.caught > 50 {
			r.Errorf("read %d changes in %d pages, but 33 were missing", r.store.caught, pages)
		}
		r.write(x, 200)
		r.has(first)
		stop()
	})
}

// TestForgottenPosition: an index is rebuilt if the log no longer reaches back to its
// position, or never knew it because the database is another or was restored.
func TestForgottenPosition(t *testing.T) {
	for name, forget := range map[string]func(*fakeStore, *ownEngine){
		"trimmed":  func(s *fakeStore, _ *ownEngine) { s.trimmed = len(s.log) - 1 },
		"unknown":  func(_ *fakeStore, e *ownEngine) { e.position = "999999" },
		"has none": func(_ *fakeStore, e *ownEngine) { e.position = "" },
	} {
		t.Run(name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				first := r.keptByTwo()
				forget(r.store, first)
				var x *Indexer
				began := make(chan struct{})
				pages := 0
				r.store.paged = func() {
					<-began
					if pages++; pages == 1 {
						r.write(x, 300) // while it is rebuilt
						r.answers(x, chat.Unavailable)
					}
				}
				x, _ = r.startOwn("a", first)
				close(began)
				r.has(first)
				r.answers(x, "")
				if pages == 0 {
					r.Error("it was not rebuilt")
				}
			})
		})
	}
}

// TestInterruptedRebuild: a rebuild that was interrupted begins anew, although the old index
// got what changed meanwhile.
func TestInterruptedRebuild(t *testing.T) {
	withRig(t, func(r *rig) {
		first := r.keptByTwo()
		first.position = ""
		r.store.paged = func() {
			r.store.paged = nil
			r.store.write(300, "while it is rebuilt")
			first.mu.Lock()
			first.stuck = true
			first.mu.Unlock()
		}
		x, stop := r.startOwn("a", first)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		r.answers(x, chat.Unavailable)
		stop()
		first.mu.Lock()
		first.stuck = false
		first.mu.Unlock()
		x, _ = r.startOwn("a", first)
		r.has(first)
		r.answers(x, "")
	})
}

// TestKeeperPastItsLease: a node whose database does not answer stops answering searches
// when its lease expires, even while a renewal hangs.
func TestKeeperPastItsLease(t *testing.T) {
	withRig(t, func(r *rig) {
		own := &ownEngine{fakeEngine: newFakeEngine()}
		x, _ := r.startOwn("a", own)
		r.write(x, 1)
		r.has(own)
		r.store.mu.Lock()
		r.store.silent = true
		r.store.mu.Unlock()
		time.Sleep(x.cfg.LeaseTTL / 2)
		if _, here, err := x.SearchHere(r.Context(), chat.IndexQuery{Limit: 1}); !here || err != nil {
			r.Errorf("within its lease: %v, %v", here, err)
		}
		time.Sleep(x.cfg.LeaseTTL/2 + time.Millisecond)
		if _, here, _ := x.SearchHere(r.Context(), chat.IndexQuery{Limit: 1}); here {
			r.Error("answered past its lease")
		}
		r.answers(x, chat.Unavailable)
	})
}

// TestLateBatch: what a node indexed after its lease expired stays in the outbox for the
// node that has it now.
func TestLateBatch(t *testing.T) {
	withRig(t, func(r *rig) {
		first, second := &ownEngine{fakeEngine: newFakeEngine()}, &ownEngine{fakeEngine: newFakeEngine()}
		x, _ := r.startOwn("a", first)
		r.write(x, numbers(0, 5)...)
		r.has(first)
		first.mu.Lock()
		first.during = func() { // a batch takes longer than the lease lasts
			r.store.mu.Lock()
			r.store.cut["a"] = true
			r.store.mu.Unlock()
			time.Sleep(10 * time.Second)
			r.startOwn("b", second)
			time.Sleep(time.Second)
		}
		first.mu.Unlock()
		r.write(x, 5)
		time.Sleep(20 * time.Second)
		r.has(second)
	})
}

// searchHere searches the index of a node for somebody who read that so many messages had
// been indexed.
func searchHere(t *testing.T, x *Indexer, indexed int) error {
	_, _, err := x.SearchHere(t.Context(), chat.IndexQuery{Limit: 1, Indexed: int64(indexed)})
	return err
}

// TestOutrunWithinItsLease: the database's clock jumps, so that another node gets the lease
// while the first believes that it has it. The first answers nobody who knows more.
func TestOutrunWithinItsLease(t *testing.T) {
	withRig(t, func(r *rig) {
		first, second := &ownEngine{fakeEngine: newFakeEngine()}, &ownEngine{fakeEngine: newFakeEngine()}
		x, _ := r.startOwn("a", first)
		r.write(x, 1)
		r.has(first)
		asked := false
		first.mu.Lock()
		first.during = func() { // it is busy with a batch and asks the database nothing
			r.store.mu.Lock()
			r.store.cut["a"], r.store.until = true, time.Now()
			r.store.mu.Unlock()
			y, _ := r.startOwn("b", second)
			time.Sleep(x.cfg.LeaseTTL / 3)
			if err := searchHere(r.T, x, 1); err != nil {
				r.Errorf("what it has: %v", err)
			}
			if err := searchHere(r.T, x, 2); !errors.Is(err, ErrCatchingUp) {
				r.Errorf("what it lacks: %v", err)
			}
			if err := searchHere(r.T, y, 2); err != nil {
				r.Errorf("the other: %v", err)
			}
			asked = true
		}
		first.mu.Unlock()
		r.write(x, 2)
		r.has(second)
		if !asked {
			r.Error("nobody asked")
		}
	})
}

// TestSearchBetweenLogAndNote: a search that knows of a batch waits the moment until the
// node that indexed it does.
func TestSearchBetweenLogAndNote(t *testing.T) {
	withRig(t, func(r *rig) {
		own := &ownEngine{fakeEngine: newFakeEngine()}
		x, _ := r.startOwn("a", own)
		answered := make(chan error, 1)
		r.store.mu.Lock()
		r.store.logged = func(n int) {
			r.store.logged = nil
			go func() { answered <- searchHere(r.T, x, n) }()
			time.Sleep(100 * time.Millisecond)
		}
		r.store.mu.Unlock()
		r.write(x, 1)
		if err := <-answered; err != nil {
			r.Error(err)
		}
	})
}
