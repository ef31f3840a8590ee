package indexer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fechatter/chat"
)

// Match returns a function that matches a body against the text of a query exactly
// as Bleve would, and nearly as Meilisearch would. The function may be called
// concurrently.
func (x *Indexer) Match(q chat.IndexQuery) func(body string) ([]chat.Mark, bool) {
	patterns, possible := patternsOf(q)
	return func(body string) ([]chat.Mark, bool) {
		if !possible {
			return nil, false
		}
		return match(patterns, body)
	}
}

// match reports whether a body matches all patterns, and where.
func match(patterns []pattern, body string) ([]chat.Mark, bool) {
	var side, symbols []unit
	for _, u := range scan(body) {
		if u.kind == symbol {
			symbols = append(symbols, u)
		} else {
			side = append(side, u)
		}
	}
	var marks []chat.Mark
	for _, p := range patterns {
		in := side
		if p.units[0].kind == symbol {
			in = symbols
		}
		before := len(marks)
		if marks = p.find(in, marks); len(marks) == before {
			return nil, false
		}
	}
	return chat.JoinMarks(marks), true
}

// find appends a mark for each unit of a body that belongs to an occurrence of the pattern.
// Where occurrences overlap a unit still has one: a body of one word and a phrase of that word
// would have as many occurrences as units, each with all of its own.
func (p pattern) find(in []unit, marks []chat.Mark) []chat.Mark {
	marked := 0 // up to where units have marks, without a gap since the last occurrence
	for at := 0; at+len(p.units) <= len(in); at++ {
		if !p.is(in[at : at+len(p.units)]) {
			continue
		}
		for i, u := range in[at : at+len(p.units)] {
			mark := p.units[i].markIn(u)
			if at+i >= marked {
				marks = append(marks, mark)
				continue
			}
			m := &marks[len(marks)-(marked-(at+i))]
			m.Start, m.End = min(m.Start, mark.Start), max(m.End, mark.End)
		}
		marked = at + len(p.units)
	}
	return marks
}

// markIn returns the place of a unit of a body that is what u of a query wants.
func (u unit) markIn(in unit) chat.Mark {
	m := chat.Mark{Start: in.start, End: in.end}
	if u.head != "" {
		m.Start -= len(in.head)
	}
	if u.tail != "" {
		m.End = in.to
	}
	return m
}

func (p pattern) is(units []unit) bool {
	last := len(units) - 1
	for i, u := range units {
		want := p.units[i]
		switch {
		case i > 0 && pair(p.units[i-1], want) && !pair(units[i-1], u):
			return false
		case u.text == want.text:
		case u.kind == word && !u.forms(func(form string) bool {
			return form != want.text && (i != last || !p.prefix || !strings.HasPrefix(form, want.text))
		}):
		case i == last && p.typo && u.kind == word && nearly(u.text, want.text):
		default:
			return false
		}
	}
	return true
}

// nearly reports whether two words differ at most by one letter too many, too few or
// wrong, or by two swapped ones. The first letter must be right: it is hardly ever
// the wrong one, and so most of a dictionary can be skipped.
func nearly(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	same := 0
	for same < len(a) && a[same] == b[same] {
		same++
	}
	for same > 0 && same < len(b) && !utf8.RuneStart(b[same]) {
		same--
	}
	if same == 0 {
		return a == b
	}
	ar, br := []rune(a[same:]), []rune(b[same:])
	switch {
	case len(ar) > len(br):
		ar, br = br, ar
		fallthrough
	case len(ar)+1 == len(br):
		return slices.Equal(ar, br[1:])
	case len(ar) != len(br):
		return false
	case len(ar) == 0 || slices.Equal(ar[1:], br[1:]):
		return true
	}
	return len(ar) > 1 && ar[0] == br[1] && ar[1] == br[0] && slices.Equal(ar[2:], br[2:])
}
