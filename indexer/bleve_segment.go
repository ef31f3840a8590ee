package indexer

import (
	"bytes"
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// maxExpansion is how many terms of a segment a prefix or a word with a typo may
// expand to; further terms are ignored.
const maxExpansion = 20_000

// part is a segment of an index during a search.
type part struct {
	*scorch.SegmentSnapshot
	dictionaries map[string]segment.TermDictionary
}

func (p *part) dictionary(field string) (segment.TermDictionary, error) {
	if d, ok := p.dictionaries[field]; ok {
		return d, nil
	}
	d, err := p.Segment().Dictionary(field)
	if err != nil {
		return nil, fmt.Errorf("open dictionary: %w", err)
	}
	p.dictionaries[field] = d
	return d, nil
}

// candidates returns the documents that are in the set of every clause and pass all
// filters except that of time, and which of those contain every word exactly. The
// caller must not change the sets.
func (p *part) candidates(ctx context.Context, q *plan, typos bool) (all, exact *roaring.Bitmap, err error) {
	for _, c := range q.clauses {
		c.typo = c.typo && typos
		if all, err = p.and(ctx, all, c); err != nil || all.IsEmpty() {
			return all, all, err
		}
	}
	if all, err = p.filter(ctx, all, q); err != nil || all.IsEmpty() || !typos {
		return all, all, err
	}
	exact = all
	for _, c := range q.clauses {
		if !c.typo {
			continue
		}
		c.typo = false
		if exact, err = p.and(ctx, exact, c); err != nil || exact.IsEmpty() {
			return all, exact, err
		}
	}
	return all, exact, nil
}

// and returns those of the documents that are also in the set of c; nil means all
// documents.
func (p *part) and(ctx context.Context, docs *roaring.Bitmap, c clause) (*roaring.Bitmap, error) {
	terms := [][]byte{[]byte(c.term)}
	if c.prefix || c.typo {
		var err error
		if terms, err = p.expand(ctx, c); err != nil {
			return nil, err
		}
	}
	return p.andAny(ctx, docs, c.field, terms)
}

func (p *part) filter(ctx context.Context, docs *roaring.Bitmap, q *plan) (*roaring.Bitmap, error) {
	docs, err := p.andAny(ctx, docs, fieldChat, q.chats)
	if err != nil || docs.IsEmpty() {
		return docs, err
	}
	if len(q.SenderIDs) > 0 {
		if docs, err = p.andAny(ctx, docs, fieldSender, keys(q.SenderIDs)); err != nil {
			return nil, err
		}
	}
	if q.Links {
		return p.andAny(ctx, docs, fieldLink, [][]byte{[]byte("1")})
	}
	return docs, nil
}

// andAny returns those of the documents that have one of the terms; nil means all
// documents.
func (p *part) andAny(ctx context.Context, docs *roaring.Bitmap, field string, terms [][]byte) (*roaring.Bitmap, error) {
	dictionary, err := p.dictionary(field)
	if err != nil {
		return nil, err
	}
	sets := make([]*roaring.Bitmap, 0, len(terms))
	for i, term := range terms {
		if err := giveWay(ctx, i); err != nil {
			return nil, err
		}
		postings, err := dictionary.PostingsList(term, p.Deleted(), nil)
		if err != nil {
			return nil, fmt.Errorf("read postings: %w", err)
		}
		if set := setOf(postings); set != nil {
			sets = append(sets, set)
		}
	}
	found := oneOf(sets)
	if docs == nil {
		return found, nil
	}
	return roaring.And(docs, found), nil
}

func oneOf(sets []*roaring.Bitmap) *roaring.Bitmap {
	if len(sets) == 1 {
		return sets[0]
	}
	return roaring.FastOr(sets...)
}

// setOf returns the documents with a term, nil if there are none.
func setOf(postings segment.PostingsList) *roaring.Bitmap {
	all, ok := postings.Iterator(false, false, false, nil).(segment.OptimizablePostingsIterator)
	if !ok {
		return nil
	}
	if doc, one := all.DocNum1Hit(); one {
		return roaring.BitmapOf(uint32(doc)) //nolint:gosec // the number has 31 bits
	}
	return all.ActualBitmap()
}

// expand returns the terms that a prefix or a word with a typo stands for.
func (p *part) expand(ctx context.Context, c clause) ([][]byte, error) {
	dictionary, err := p.dictionary(c.field)
	if err != nil {
		return nil, err
	}
	var terms [][]byte
	if c.prefix {
		terms, err = list(ctx, dictionary.AutomatonIterator(nil, []byte(c.term), afterPrefix(c.term)), terms)
	}
	if c.typo && err == nil {
		terms, err = list(ctx, dictionary.AutomatonIterator(newFirstRight(c.nearly, c.term), nil, nil), terms)
	}
	return terms, err
}

func list(ctx context.Context, all segment.DictionaryIterator, terms [][]byte) ([][]byte, error) {
	for len(terms) < maxExpansion {
		if err := giveWay(ctx, len(terms)); err != nil {
			return nil, err
		}
		entry, err := all.Next()
		if err != nil {
			return nil, fmt.Errorf("read dictionary: %w", err)
		}
		if entry == nil {
			break
		}
		terms = append(terms, []byte(entry.Term))
	}
	return terms, nil
}

// afterPrefix returns the first term after all that have the prefix. The prefix is
// UTF-8, so its last byte can be incremented.
func afterPrefix(prefix string) []byte {
	end := bytes.Clone([]byte(prefix))
	end[len(end)-1]++
	return end
}
