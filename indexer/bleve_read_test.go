package indexer_test

import (
	"errors"
	"sync"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
)

// A disk that becomes unreadable costs the index, not the process.
func TestBleveCannotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	defer b.Close()
	apply(t, b, numbered(1, "tea"), numbered(2, "tea"))
	shorten(t, dir, "index-1/*.zap", 1<<30)
	if hits, err := b.Search(t.Context(), askTea()); err == nil {
		t.Errorf("found %+v in an index that cannot be read", hits)
	}
	if _, err := b.Count(t.Context()); err == nil {
		t.Error("counted an index that cannot be read")
	}
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// The same holds if a batch is the first to notice.
func TestBleveCannotReadForBatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	defer b.Close()
	apply(t, b, numbered(1, "tea"), numbered(2, "tea"))
	shorten(t, dir, "index-1/*.zap", 1<<30)
	if err := b.Apply(t.Context(), indexer.Batch{Documents: []indexer.Document{numbered(1, "coffee")}}); err == nil {
		t.Error("applied to an index that cannot be read")
	}
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// Close does not wait for searches, which complete undisturbed.
func TestBleveCloseDuringSearches(t *testing.T) {
	t.Parallel()
	b := openBleve(t, t.TempDir())
	for n := range 20 {
		apply(t, b, numbered(n, "tea"))
	}
	var searching sync.WaitGroup
	begun := make(chan struct{}, 4)
	for range cap(begun) {
		searching.Go(func() {
			for {
				hits, err := b.Search(t.Context(), askTea())
				if err != nil {
					return
				}
				if len(hits.Hits) != 20 {
					t.Errorf("found %d", len(hits.Hits))
				}
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range cap(begun) {
		<-begun
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	searching.Wait()
}

func askTea() chat.IndexQuery {
	return chat.IndexQuery{Words: []string{"tea"}, ChatIDs: []string{numbered(1, "").ChatID}, Limit: 50}
}

// TestBlevePosition: the position is as durable as the batch with which it came, and belongs
// to the index that got it.
func TestBlevePosition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	at := func(want string) {
		t.Helper()
		if got, err := b.Position(t.Context()); got != want || err != nil {
			t.Errorf("position %q, %v, want %q", got, err, want)
		}
	}
	note := func(position string, docs ...indexer.Document) {
		t.Helper()
		if err := b.Apply(t.Context(), indexer.Batch{Documents: docs, Position: position}); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() {
		t.Helper()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = openBleve(t, dir)
	}
	at("")
	note("", numbered(1, "tea"))
	at("")
	note("1/a", numbered(2, "tea"))
	note("", numbered(3, "tea"))
	at("1/a")
	reopen()
	at("1/a")
	note("2/b") // nothing but the position
	reopen()
	at("2/b")
	r, err := b.Rebuild(t.Context())
	if err == nil {
		err = errors.Join(r.Apply(t.Context(), indexer.Batch{Documents: []indexer.Document{numbered(1, "tea")}}), r.Swap(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	at("")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}
