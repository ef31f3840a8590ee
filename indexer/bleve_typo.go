package indexer

import (
	"math"
	"unicode/utf8"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// firstRight is an automaton for words with a typo whose first letter is right. Any
// other first letter ends a walk over a dictionary at once.
type firstRight struct {
	segment.Automaton
	first string
	then  int // state of the automaton after first
}

const dead = math.MinInt

func newFirstRight(nearly segment.Automaton, word string) firstRight {
	_, n := utf8.DecodeRuneInString(word)
	f := firstRight{nearly, word[:n], nearly.Start()}
	for i := range n {
		f.then = nearly.Accept(f.then, word[i])
	}
	return f
}

// Start returns the first of the negative states, one for each byte of the first
// letter.
func (f firstRight) Start() int { return -1 }

func (f firstRight) Accept(state int, b byte) int {
	switch at := -state - 1; {
	case state == dead:
		return dead
	case state >= 0:
		return f.Automaton.Accept(state, b)
	case f.first[at] != b:
		return dead
	case at == len(f.first)-1:
		return f.then
	}
	return state - 1
}

func (f firstRight) IsMatch(state int) bool { return state >= 0 && f.Automaton.IsMatch(state) }

func (f firstRight) CanMatch(state int) bool {
	return state != dead && (state < 0 || f.Automaton.CanMatch(state))
}

func (f firstRight) WillAlwaysMatch(state int) bool {
	return state >= 0 && f.Automaton.WillAlwaysMatch(state)
}
