package indexer

import (
	"context"
	"errors"

	"fechatter/chat"
)

var _ chat.SearchIndex = (*Indexer)(nil)

var (
	errElsewhere = errors.New("the search index is not open in this node")
	errLost      = errors.New("the search index was lost and is being rebuilt")
)

// Search searches the index, unless the engine has failed so often that asking would
// only make people wait. Errors: unavailable, also while the index is
// being rebuilt or catches up, because finding nothing would then be misleading.
func (x *Indexer) Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	if wait := x.breaker.open(); wait > 0 {
		return chat.IndexHits{}, unavailable(errBreaker, wait)
	}
	hits, err := x.ask(ctx, q)
	if ctx.Err() == nil && !errors.Is(err, ErrCatchingUp) {
		x.breaker.saw(err)
	}
	if err != nil {
		return chat.IndexHits{}, unavailable(err, breakerPause)
	}
	return hits, nil
}

// SearchHere searches on behalf of another node; ok is false if the index is not open
// in this one.
func (x *Indexer) SearchHere(ctx context.Context, q chat.IndexQuery) (hits chat.IndexHits, ok bool, err error) {
	hits, err = x.askHere(ctx, q)
	return hits, !errors.Is(err, errElsewhere), err
}

// Probe checks that the engine can be searched. It is for health checks and bounded
// by ctx.
func (x *Indexer) Probe(ctx context.Context) error {
	// A query without chats finds nothing, so the index is also checked for loss.
	_, err := x.ask(ctx, chat.IndexQuery{Limit: 1})
	return err
}

// ask searches the index wherever it is open.
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
	if err := x.ready(); err != nil {
		return chat.IndexHits{}, err
	}
	if err := x.reached(ctx, q.Indexed); err != nil {
		return chat.IndexHits{}, err
	}
	hits, err := index.Search(ctx, q)
	if err == nil && hits.Total == 0 {
		err = x.lost(ctx, index)
	}
	if changed := x.ready(); changed != nil { // while it searched
		return chat.IndexHits{}, changed
	}
	return hits, err
}

// lost fails if an index is empty although something was indexed. It counts again at
// the end, because the first batch may have arrived in between.
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
