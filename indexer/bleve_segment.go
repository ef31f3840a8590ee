package indexer

import (
	"bytes"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// maxExpansion is for how many terms of a segment a prefix or a nearly right word
// may stand; the terms after those are not looked at.
const maxExpansion = 20_000

// part is a segment of an index while a search is in it.
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

// candidates gives the documents that are in the set of every clause and pass the
// filters but that of time, and which of those have every word as it was asked
// for. The sets are not to be changed.
func (p *part) candidates(q *plan, typos bool) (all, exact *roaring.Bitmap, err error) {
	for _, c := range q.clauses {
		c.typo = c.typo && typos
		if all, err = p.and(all, c); err != nil || all.IsEmpty() {
			return all, all, err
		}
	}
	if all, err = p.filter(all, q); err != nil || all.IsEmpty() || !typos {
		return all, all, err
	}
	exact = all
	for _, c := range q.clauses {
		if !c.typo {
			continue
		}
		c.typo = false
		if exact, err = p.and(exact, c); err != nil || exact.IsEmpty() {
			return all, exact, err
		}
	}
	return all, exact, nil
}

// and gives those of the documents that are in the set of c too; nil are all.
func (p *part) and(docs *roaring.Bitmap, c clause) (*roaring.Bitmap, error) {
	terms := [][]byte{[]byte(c.term)}
	if c.prefix || c.typo {
		var err error
		if terms, err = p.expand(c); err != nil {
			return nil, err
		}
	}
	return p.andAny(docs, c.field, terms)
}

func (p *part) filter(docs *roaring.Bitmap, q *plan) (*roaring.Bitmap, error) {
	docs, err := p.andAny(docs, fieldChat, q.chats)
	if err != nil || docs.IsEmpty() {
		return docs, err
	}
	if q.SenderID != "" {
		if docs, err = p.andAny(docs, fieldSender, [][]byte{[]byte(q.SenderID)}); err != nil {
			return nil, err
		}
	}
	if q.Links {
		return p.andAny(docs, fieldLink, [][]byte{[]byte("1")})
	}
	return docs, nil
}

// andAny gives those of the documents that have one of the terms; nil are all.
func (p *part) andAny(docs *roaring.Bitmap, field string, terms [][]byte) (*roaring.Bitmap, error) {
	dictionary, err := p.dictionary(field)
	if err != nil {
		return nil, err
	}
	sets := make([]*roaring.Bitmap, 0, len(terms))
	for _, term := range terms {
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

// setOf gives the documents of a term, nil if there are none.
func setOf(postings segment.PostingsList) *roaring.Bitmap {
	all, ok := postings.Iterator(false, false, false, nil).(segment.OptimizablePostingsIterator)
	if !ok {
		return nil
	}
	if doc, one := all.DocNum1Hit(); one {
		return roaring.BitmapOf(uint32(doc))
	}
	return all.ActualBitmap()
}

// expand gives the terms for which a prefix or a nearly right word stands.
func (p *part) expand(c clause) ([][]byte, error) {
	dictionary, err := p.dictionary(c.field)
	if err != nil {
		return nil, err
	}
	var terms [][]byte
	if c.prefix {
		terms, err = list(dictionary.AutomatonIterator(nil, []byte(c.term), afterPrefix(c.term)), terms)
	}
	if c.typo && err == nil {
		terms, err = list(dictionary.AutomatonIterator(newFirstRight(c.nearly, c.term), nil, nil), terms)
	}
	return terms, err
}

func list(all segment.DictionaryIterator, terms [][]byte) ([][]byte, error) {
	for len(terms) < maxExpansion {
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

// afterPrefix gives the first term after all that begin with prefix, which is
// UTF-8, so that its last byte can be one more.
func afterPrefix(prefix string) []byte {
	end := bytes.Clone([]byte(prefix))
	end[len(end)-1]++
	return end
}
