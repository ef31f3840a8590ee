package indexer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fechatter/chat"
)

// Match gives how a body that the index does not have yet is judged: as Bleve
// would once it had it, and Meilisearch nearly. It is safe for concurrent use.
func (x *Indexer) Match(q chat.IndexQuery) func(body string) ([]chat.Mark, bool) {
	patterns, possible := patternsOf(q)
	return func(body string) ([]chat.Mark, bool) {
		if !possible {
			return nil, false
		}
		return match(patterns, body)
	}
}

// match looks up in a body what is asked for, and where.
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

// find adds a mark for each unit of each place where the pattern is.
func (p pattern) find(in []unit, marks []chat.Mark) []chat.Mark {
	for at := 0; at+len(p.units) <= len(in); at++ {
		if !p.is(in[at : at+len(p.units)]) {
			continue
		}
		for _, u := range in[at : at+len(p.units)] {
			marks = append(marks, chat.Mark{Start: u.start, End: u.end})
		}
	}
	return marks
}

func (p pattern) is(units []unit) bool {
	last := len(units) - 1
	for i, u := range units {
		want := p.units[i]
		switch {
		case i > 0 && pair(p.units[i-1], want) && !pair(units[i-1], u):
			return false
		case u.text == want.text:
		case i == last && p.prefix && u.kind == word && strings.HasPrefix(u.text, want.text):
		case i == last && p.typo && u.kind == word && nearly(u.text, want.text):
		default:
			return false
		}
	}
	return true
}

// nearly says whether one letter too many, too few or wrong, or two in the wrong
// order, is all that differs. The first letter is hardly ever the wrong one, and
// that it is right spares most of a dictionary.
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
