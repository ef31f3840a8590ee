package indexer

import (
	"context"
	"errors"

	"fechatter/chat"
)

var _ chat.SearchIndex = (*Indexer)(nil)

var (
	errElsewhere = errors.New("the index is not open here")
	errLost      = errors.New("the index was lost and is being made anew")
)

// Search asks the engine, unless it has failed so often that asking would only
// make people wait. Errors: unavailable, also for as long as an index that was
// lost is made anew: that it finds nothing says nothing.
func (x *Indexer) Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	if wait := x.breaker.open(); wait > 0 {
		return chat.IndexHits{}, unavailable(errBreaker, wait)
	}
	hits, err := x.ask(ctx, q)
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
	hits, err = x.askHere(ctx, q)
	return hits, !errors.Is(err, errElsewhere), err
}

// Probe tells whether the engine can be asked at all. It is for health, and
// bounded by ctx.
func (x *Indexer) Probe(ctx context.Context) error {
	_, err := x.ask(ctx, chat.IndexQuery{Limit: 1}) // in no chat: finds nothing, which is looked into
	return err
}

// ask asks the index, wherever it is.
func (x *Indexer) ask(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	hits, err := x.askHere(ctx, q)
	if errors.Is(err, errElsewhere) && x.engine.peers != nil {
		return x.engine.peers.Search(ctx, q)
	}
	return hits, err
}

func (x *Indexer) askHere(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	index := x.engine.here()
	if index == nil {
		return chat.IndexHits{}, errElsewhere
	}
	hits, err := index.Search(ctx, q)
	if err == nil && hits.Total == 0 {
		err = x.lost(ctx, index)
	}
	return hits, err
}

// lost fails when an index holds nothing although something was indexed. It counts
// once more in the end: the first batch may have come in between.
func (x *Indexer) lost(ctx context.Context, index Index) error {
	if n, err := index.Count(ctx); err != nil || n > 0 {
		return err
	}
	if indexed, err := x.store.HasIndexed(ctx); err != nil || !indexed {
		return err
	}
	n, err := index.Count(ctx)
	if err == nil && n == 0 {
		err = errLost
	}
	return err
}
