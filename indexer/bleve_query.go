package indexer

import (
	"cmp"
	"slices"
	"unicode"
	"unicode/utf8"

	"fechatter/chat"

	"github.com/blevesearch/vellum/levenshtein"
)

const (
	// typoLetters is from how many letters on a word may have a wrong one.
	typoLetters = 5

	// maxUnits of a word or phrase are looked for, more are not looked at.
	maxUnits = 128
)

// pattern is what a word or a phrase of a query asks for: units side by side. A
// symbol is a pattern by itself, wherever it is: between words it parts nothing.
type pattern struct {
	units  []unit
	prefix bool // the last unit may be the beginning of one
	typo   bool // of a single word: a letter may be wrong
}

// clause is a set of documents by terms: those with a term, and those with one
// that begins so or is nearly so.
type clause struct {
	field, term  string
	prefix, typo bool
	nearly       *levenshtein.DFA // of a typo
}

// plan is a query as it is run: documents are in the set of every clause, and of
// those it is looked up whether they match the patterns where clauses cannot tell.
type plan struct {
	chat.IndexQuery
	patterns []pattern
	clauses  []clause
	inexact  bool // some clauses take words that are only nearly so
	lookup   bool // clauses cannot tell all
	nothing  bool // no document matches
	chats    [][]byte
}

func (b *Bleve) plan(q chat.IndexQuery) (plan, error) {
	p := plan{IndexQuery: q, chats: keys(q.ChatIDs)}
	for i, w := range q.Words {
		p.add(w, q.Prefix && i == len(q.Words)-1, true)
	}
	for _, phrase := range q.Phrases {
		p.add(phrase, false, false)
	}
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
	}
	// A typo is looked for only where all else is.
	slices.SortStableFunc(p.clauses, func(a, b clause) int { return cmp.Compare(costOf(a), costOf(b)) })
	return p, nil
}

// costOf is a measure of what looking for a clause takes.
func costOf(c clause) int {
	switch {
	case c.typo:
		return 2
	case c.prefix:
		return 1
	}
	return 0
}

// add adds what a word or phrase asks for.
func (p *plan) add(text string, prefix, typo bool) {
	units := scan(text)
	p.nothing = p.nothing || len(units) == 0
	var side []unit
	for _, u := range units {
		if u.kind == symbol {
			p.patterns = append(p.patterns, pattern{units: []unit{u}})
			continue
		}
		side = append(side, u)
	}
	if len(side) == 0 {
		return
	}
	side = side[:min(len(side), maxUnits)]
	last := side[len(side)-1]
	p.patterns = append(p.patterns, pattern{
		units:  side,
		prefix: prefix && last.kind == word && last.end == len(text),
		typo:   typo && len(side) == 1 && mayHaveTypo(last.text),
	})
}

// mayHaveTypo says whether a word is long enough and Latin: elsewhere one letter
// more or less is another word.
func mayHaveTypo(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Latin, r) {
			return false
		}
	}
	return utf8.RuneCountInString(s) >= typoLetters
}

// simple says whether clauses can tell all.
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
