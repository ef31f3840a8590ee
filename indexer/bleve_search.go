package indexer

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"fechatter/chat"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

const (
	searchTimeout = 10 * time.Second

	// yieldEvery is the number of documents or terms after which a search lets others run.
	yieldEvery = 64

	// countUpTo is how many candidates are looked up just for the total; the rest of
	// the total is extrapolated from them.
	countUpTo = 500

	// lookupUpTo is how many candidates are looked up at most, to fill the hits.
	lookupUpTo = 50_000

	// lookupWork is how much looking up may cost, each body its bytes for every unit that
	// it is compared with and once more: a second of a core, whatever the bodies and the
	// query are. It lets a phrase of five words be looked up in lookupUpTo messages of 100
	// bytes.
	lookupWork = 32 << 20
)

// Search returns the messages that contain every word exactly before those where a
// letter is wrong, newest first among equals.
func (b *Bleve) Search(ctx context.Context, q chat.IndexQuery) (found chat.IndexHits, err error) {
	if len(q.ChatIDs) == 0 {
		return chat.IndexHits{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	p, err := b.plan(q)
	if err != nil {
		return chat.IndexHits{}, chat.Wrap(chat.Unavailable, err, "this query cannot be searched for")
	}
	err = b.read(ctx, func(snapshot *scorch.IndexSnapshot) error {
		if p.nothing {
			return nil
		}
		found, err = searchIn(ctx, snapshot, &p)
		return err
	})
	if err != nil {
		return chat.IndexHits{}, chat.Wrap(chat.Unavailable, fmt.Errorf("search index: %w", err), "search is temporarily unavailable")
	}
	return found, nil
}

// searchIn searches for words with typos only if there are too few hits without,
// because that walks over the whole dictionary.
func searchIn(ctx context.Context, snapshot *scorch.IndexSnapshot, p *plan) (chat.IndexHits, error) {
	found, err := searchFor(ctx, snapshot, p, false)
	if err != nil || !p.inexact || found.Total > p.Limit {
		return found, err
	}
	return searchFor(ctx, snapshot, p, true)
}

func searchFor(ctx context.Context, snapshot *scorch.IndexSnapshot, p *plan, typos bool) (chat.IndexHits, error) {
	var all ranking
	for _, s := range snapshot.Segments() {
		in := &part{SegmentSnapshot: s, dictionaries: map[string]segment.TermDictionary{}}
		docs, exact, err := in.candidates(ctx, p, typos)
		if err != nil {
			return chat.IndexHits{}, err
		}
		if all, err = in.rank(ctx, all, docs, exact, p); err != nil {
			return chat.IndexHits{}, err
		}
	}
	heap.Init(&all)
	return all.hits(ctx, p)
}

// giveWay lets others run before the nth document or term of a walk, if it is one of every
// yieldEvery, and reports whether the walk has been cancelled. A search computes for
// milliseconds, and a message on its way passes several goroutines: on one core it would wait
// for the search at each.
func giveWay(ctx context.Context, n int) error {
	if n%yieldEvery > 0 {
		return nil
	}
	runtime.Gosched()
	return ctx.Err()
}

// candidate is a document that may be a hit.
type candidate struct {
	in    *scorch.SegmentSnapshot
	doc   uint64
	at    chat.Time
	exact bool
}

// ranking is a heap of candidates, best first.
type ranking []candidate

func (r ranking) Len() int      { return len(r) }
func (r ranking) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *ranking) Push(x any)   { *r = append(*r, x.(candidate)) }

func (r ranking) Less(i, j int) bool {
	a, b := r[i], r[j]
	switch {
	case a.exact != b.exact:
		return a.exact
	case a.at != b.at:
		return a.at > b.at
	}
	return a.id() > b.id()
}

func (r *ranking) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// id returns "" if the id cannot be read; making the hit then fails.
func (c candidate) id() string {
	id, err := c.in.DocID(c.doc)
	if err != nil {
		return ""
	}
	return string(id)
}

// rank adds the documents of a segment that are in the time range.
func (p *part) rank(ctx context.Context, r ranking, docs, exact *roaring.Bitmap, q *plan) (ranking, error) {
	times, ok := p.Segment().(segment.DocValueVisitable)
	if !ok || docs.IsEmpty() {
		return r, ctx.Err()
	}
	until := q.Until
	if until == 0 {
		until = math.MaxInt64
	}
	var at chat.Time
	see := func(_ string, term []byte) { at = timeOf(term) }
	var state segment.DocVisitState
	var err error
	for all, n := docs.Iterator(), 0; all.HasNext(); n++ {
		if err := giveWay(ctx, n); err != nil {
			return r, err
		}
		doc := all.Next()
		if state, err = times.VisitDocValues(uint64(doc), []string{fieldTime}, see, state); err != nil {
			return r, fmt.Errorf("read time: %w", err)
		}
		if at >= q.Since && at < until {
			r = append(r, candidate{p.SegmentSnapshot, uint64(doc), at, exact.Contains(doc)})
		}
	}
	return r, nil
}

// hits returns the best candidates, looking up in their bodies what the clauses
// could not decide.
func (r *ranking) hits(ctx context.Context, p *plan) (chat.IndexHits, error) {
	found := chat.IndexHits{Total: r.Len()}
	looked, matched := 0, 0
	for ; r.Len() > 0 && looked < lookupUpTo; looked++ {
		if len(found.Hits) == p.Limit && (!p.lookup || looked >= countUpTo) || p.lookup && p.work <= 0 {
			break
		}
		if err := giveWay(ctx, 0); err != nil {
			return found, err
		}
		hit, matches, err := heap.Pop(r).(candidate).hit(p)
		if err != nil {
			return found, err
		}
		if !matches && p.lookup {
			continue
		}
		if matched++; len(found.Hits) < p.Limit {
			found.Hits = append(found.Hits, hit)
		}
	}
	if p.lookup {
		found.Total = matched + r.Len()*matched/max(looked, 1)
	}
	return found, nil
}

// hit returns the document as a hit and reports whether it matches.
func (c candidate) hit(p *plan) (hit chat.IndexHit, matches bool, err error) {
	var body string
	var bad error
	err = c.in.VisitDocument(c.doc, func(field string, _ byte, value []byte, _ []uint64) bool {
		switch field {
		case "_id":
			hit.ID = string(value)
		case fieldKept:
			hit.Version, body, bad = kept(value)
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return hit, false, fmt.Errorf("read document: %w", err)
	}
	if !p.Text() {
		return hit, true, nil
	}
	p.work -= len(body) * p.perByte
	hit.Marks, matches = match(p.patterns, body)
	return hit, matches, nil
}
