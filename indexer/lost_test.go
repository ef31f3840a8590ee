package indexer

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"fechatter/chat"
)

// often looks at the outbox as often as by default.
func often(c *Config) { c.PollEvery = 250 * time.Millisecond }

// Index and database are compared while people write without a pause, too.
func TestComparisonUnderTraffic(t *testing.T) {
	inOffice(t, func(o *office) {
		for n := range 2500 {
			o.books.write(n, "sound")
			o.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		clear(o.books.outbox)
		delete(o.engine.docs, name(3))
		delete(o.engine.docs, name(2400))
		x, _ := o.start("a", often)
		for n := range 200 {
			o.write(x, 3000+n)
			time.Sleep(50 * time.Millisecond)
		}
		if have := o.engine.have(); have[name(3)] != 1 || have[name(2400)] != 1 {
			o.Error("what the index lacks is not found while messages come")
		}
		o.settle(time.Second)
	})
}

// What the engine refused is different in index and database and stays so, until
// the index is made anew.
func TestRefusedStayRefused(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a", often)
		o.books.write(1, "poison")
		o.write(x, 2)
		time.Sleep(24 * time.Hour)
		if n := x.Stats().Refused; n != 1 {
			o.Errorf("refused %d times", n)
		}
		o.engine.mu.Lock()
		o.engine.cured = true
		o.engine.mu.Unlock()
		if err := RequestRebuild(o.Context(), o.books, "job"); err != nil {
			o.Fatal(err)
		}
		o.settle(time.Minute)
		if n := o.books.waiting(); n != 0 {
			o.Errorf("%d wait", n)
		}
	})
}

// A rebuild that cannot be begun does not keep the index in use from being kept.
func TestRebuildThatFails(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a", often)
		o.write(x, 1)
		o.settle(time.Second)
		o.engine.mu.Lock()
		o.engine.cramped = true
		o.engine.mu.Unlock()
		if err := RequestRebuild(o.Context(), o.books, "job"); err != nil {
			o.Fatal(err)
		}
		time.Sleep(time.Minute)
		o.write(x, 2, 3)
		o.settle(10 * time.Second)
	})
}

// An index that is lost while nobody writes is made anew at once.
func TestLostWhileIdle(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a", often)
		o.write(x, numbers(0, 20)...)
		o.settle(time.Minute)
		o.engine.set(true)
		o.engine.mu.Lock()
		clear(o.engine.docs)
		o.engine.mu.Unlock()
		time.Sleep(5 * time.Second)
		o.engine.set(false)
		o.settle(10 * time.Second)
	})
}

// An index that was lost finds nothing, which is not what is said: search is
// unavailable until it is there again. One that had nothing yet is not lost.
func TestLostIsSaid(t *testing.T) {
	inOffice(t, func(o *office) {
		search := func(x *Indexer, want chat.Code) {
			t.Helper()
			if _, err := x.Search(o.Context(), chat.IndexQuery{Limit: 1}); chat.CodeOf(err) != want {
				o.Errorf("a search: %v, want %q", err, want)
			}
			if err := x.Probe(o.Context()); (err != nil) != (want != "") {
				o.Errorf("a probe: %v", err)
			}
		}
		x, stop := o.start("a")
		search(x, "")
		o.write(x, 1)
		search(x, "")
		o.settle(time.Second)
		search(x, "")
		stop()
		clear(o.engine.docs)
		pages := 0
		o.books.paged = func() {
			if pages++; pages == 1 {
				search(x, chat.Unavailable)
			}
		}
		o.start("b")
		o.settle(0)
		search(x, "")
	})
}

// offsets is an engine that finds the next page by counting, as Meilisearch does.
type offsets struct{ *engine }

func (e offsets) Page(ctx context.Context, after string, limit int) (ids []string, next string, err error) {
	all, _, err := e.engine.Page(ctx, "", 1<<30)
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

// All documents of no message go, however the engine finds them.
func TestComparisonByOffset(t *testing.T) {
	inOffice(t, func(o *office) {
		o.books.write(1, "sound")
		for n := range 5000 {
			o.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		x := New(Config{Node: "a"}, Shared(offsets{o.engine}), o.books, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(o.Context(), time.Minute)
		defer cancel()
		if err := x.Run(ctx); err != nil {
			o.Error(err)
		}
		o.settle(0)
	})
}
