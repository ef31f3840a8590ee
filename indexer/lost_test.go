package indexer

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"fechatter/chat"
)

// often polls the outbox at the default rate.
func often(c *Config) { c.PollEvery = 250 * time.Millisecond }

// Index and database are compared even while people write without a pause.
func TestComparisonUnderTraffic(t *testing.T) {
	withRig(t, func(r *rig) {
		for n := range 2500 {
			r.store.write(n, "sound")
			r.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		clear(r.store.outbox)
		delete(r.engine.docs, name(3))
		delete(r.engine.docs, name(2400))
		x, _ := r.start("a", often)
		for n := range 200 {
			r.write(x, 3000+n)
			time.Sleep(50 * time.Millisecond)
		}
		if have := r.engine.have(); have[name(3)] != 1 || have[name(2400)] != 1 {
			r.Error("missing documents are not found while messages arrive")
		}
		r.converges(time.Second)
	})
}

// What the engine refused differs between index and database until the index is
// rebuilt; comparisons do not retry it.
func TestRefusedStayRefused(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a", often, func(c *Config) { c.CompareEvery = 10 * time.Minute })
		r.store.write(1, "poison")
		r.write(x, 2)
		time.Sleep(45 * time.Minute)
		if n := x.Stats().Refused; n != 1 {
			r.Errorf("refused %d times", n)
		}
		r.engine.mu.Lock()
		r.engine.cured = true
		r.engine.mu.Unlock()
		if err := RequestRebuild(r.Context(), r.store, "job"); err != nil {
			r.Fatal(err)
		}
		r.converges(time.Minute)
		if n := r.store.waiting(); n != 0 {
			r.Errorf("%d changes are waiting", n)
		}
	})
}

// A rebuild that cannot begin does not stop the index in use from being updated.
func TestRebuildThatFails(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a", often)
		r.write(x, 1)
		r.converges(time.Second)
		r.engine.mu.Lock()
		r.engine.cramped = true
		r.engine.mu.Unlock()
		if err := RequestRebuild(r.Context(), r.store, "job"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(time.Minute)
		r.write(x, 2, 3)
		r.converges(10 * time.Second)
	})
}

// An index that is lost while nobody writes is rebuilt at once.
func TestLostWhileIdle(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a", often)
		r.write(x, numbers(0, 20)...)
		r.converges(time.Minute)
		r.engine.set(true)
		r.engine.mu.Lock()
		clear(r.engine.docs)
		r.engine.mu.Unlock()
		time.Sleep(5 * time.Second)
		r.engine.set(false)
		r.converges(10 * time.Second)
	})
}

// A lost index would find nothing, which would be misleading: search is unavailable
// until it is rebuilt. An index that was never filled is not lost.
func TestLostIndexIsUnavailable(t *testing.T) {
	withRig(t, func(r *rig) {
		search := func(x *Indexer, want chat.Code) {
			t.Helper()
			if _, err := x.Search(r.Context(), chat.IndexQuery{Limit: 1}); chat.CodeOf(err) != want {
				r.Errorf("a search: %v, want %q", err, want)
			}
			if err := x.Probe(r.Context()); (err != nil) != (want != "") {
				r.Errorf("a probe: %v", err)
			}
		}
		x, stop := r.start("a")
		search(x, "")
		r.write(x, 1)
		search(x, "")
		r.converges(time.Second)
		search(x, "")
		stop()
		clear(r.engine.docs)
		pages := 0
		r.store.paged = func() {
			if pages++; pages == 1 {
				search(x, chat.Unavailable)
			}
		}
		r.start("b")
		r.converges(0)
		search(x, "")
	})
}

// offsets is an engine that pages by offset, as Meilisearch does.
type offsets struct{ *fakeEngine }

func (e offsets) Page(ctx context.Context, after string, limit int) (ids []string, next string, err error) {
	all, _, err := e.fakeEngine.Page(ctx, "", 1<<30)
	from := 0
	if after != "" {
		if from, err = strconv.Atoi(after); err != nil {
			return nil, "", err
		}
	}
	ids = all[min(from, len(all)):min(from+limit, len(all))]
	if from+limit < len(all) {
		next = strconv.Itoa(from + limit)
	}
	return ids, next, err
}

// All documents without a message are removed, even if the engine pages by offset.
func TestComparisonByOffset(t *testing.T) {
	withRig(t, func(r *rig) {
		r.store.write(1, "sound")
		for n := range 5000 {
			r.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		x := New(Config{Node: "a"}, Shared(offsets{r.engine}), r.store, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		if err := x.Run(ctx); err != nil {
			r.Error(err)
		}
		r.converges(0)
	})
}
