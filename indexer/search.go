package indexer

import (
	"context"
	"errors"

	"fechatter/chat"
)

var _ chat.SearchIndex = (*Indexer)(nil)

// Search asks the engine, unless it has failed so often that asking would only
// make people wait. Errors: unavailable.
func (x *Indexer) Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	if wait := x.breaker.open(); wait > 0 {
		return chat.IndexHits{}, unavailable(errBreaker, wait)
	}
	hits, err := x.engine.search(ctx, q)
	if ctx.Err() == nil {
		x.breaker.saw(err)
	}
	if err != nil {
		return chat.IndexHits{}, unavailable(err, breakerPause)
	}
	return hits, nil
}

// SearchHere answers for another node, if this one has the index: ok is false
// otherwise.
func (x *Indexer) SearchHere(ctx context.Context, q chat.IndexQuery) (hits chat.IndexHits, ok bool, err error) {
	hits, err = x.engine.searchHere(ctx, q)
	return hits, !errors.Is(err, errElsewhere), err
}

// Probe tells whether the engine can be asked at all. It is for health, and
// bounded by ctx.
func (x *Indexer) Probe(ctx context.Context) error { return x.engine.probe(ctx) }
