package indexer

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"fechatter/chat"

	"github.com/blevesearch/vellum/levenshtein"
)

// clause is a set of documents: those with a term, with a term that has the prefix,
// or with a nearly equal term.
type clause struct {
	field, term  string
	prefix, typo bool
	nearly       *levenshtein.DFA // if typo
}

// plan is a query as it is executed. A hit is in the set of every clause; where
// clauses cannot decide, its body is also matched against the patterns.
type plan struct {
	chat.IndexQuery
	patterns []pattern
	clauses  []clause
	inexact  bool // some clauses accept nearly equal words
	lookup   bool // clauses alone cannot decide
	nothing  bool // no document can match
	perByte  int  // what looking up costs for each byte of a body
	work     int  // what looking up may still cost
	chats    [][]byte
}

func (b *Bleve) plan(q chat.IndexQuery) (plan, error) {
	patterns, possible := patternsOf(q)
	p := plan{IndexQuery: q, patterns: patterns, nothing: !possible, chats: keys(q.ChatIDs), perByte: 1, work: lookupWork}
	seen := map[clause]bool{}
	for _, pattern := range p.patterns {
		for _, c := range pattern.clauses() {
			if seen[c] {
				continue
			}
			seen[c] = true
			if c.typo {
				dfa, err := b.typos.BuildDfa(c.term, 1)
				if err != nil {
					return p, err
				}
				c.nearly, p.inexact = dfa, true
			}
			p.clauses = append(p.clauses, c)
		}
		p.lookup = p.lookup || !pattern.simple()
		p.perByte += len(pattern.units)
	}
	// Cheap clauses first: typos are searched for only if everything else matches.
	slices.SortStableFunc(p.clauses, func(a, b clause) int { return cmp.Compare(costOf(a), costOf(b)) })
	return p, nil
}

// costOf returns the relative cost of a clause.
func costOf(c clause) int {
	switch {
	case c.typo:
		return 2
	case c.prefix:
		return 1
	}
	return 0
}

// simple reports whether clauses alone can decide.
func (p pattern) simple() bool {
	return len(p.units) == 1 || len(p.units) == 2 && pair(p.units[0], p.units[1])
}

func (p pattern) clauses() []clause {
	var list []clause
	for i, u := range p.units {
		last := i == len(p.units)-1
		switch {
		case !last && pair(u, p.units[i+1]):
			list = append(list, clause{field: fieldBody, term: u.text + p.units[i+1].text})
		case i > 0 && pair(p.units[i-1], u):
		case last && p.prefix && utf8.RuneCountInString(u.text) <= startRunes:
			list = append(list, clause{field: fieldStart, term: u.text})
		default:
			list = append(list, clause{field: fieldBody, term: u.text, prefix: last && p.prefix, typo: p.typo})
		}
	}
	return list
}

func keys(ids []string) [][]byte {
	list := make([][]byte, len(ids))
	for i, id := range ids {
		list[i] = []byte(id)
	}
	return list
}
