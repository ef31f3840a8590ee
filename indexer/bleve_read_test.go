package indexer_test

import (
	"sync"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
)

// A disk that can no longer be read costs the index and not the process.
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
		t.Error("nobody hears that the index is broken")
	}
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// Nor does it when it is a batch that comes upon it.
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

// Close does not wait for searches, which end as if nothing had been.
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
