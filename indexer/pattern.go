package indexer

import (
	"unicode"
	"unicode/utf8"

	"fechatter/chat"
)

const (
	// typoLetters is the length from which a word may have a wrong letter.
	typoLetters = 5

	// maxUnits is how many units of a word or phrase are searched for; the rest is
	// ignored.
	maxUnits = 128
)

// pattern is what a word or a phrase of a query asks for: units side by side. Each
// symbol is a pattern of its own; a symbol between words does not separate them.
type pattern struct {
	units  []unit
	prefix bool // the last unit may be the beginning of a word
	typo   bool // it is a single word, in which a letter may be wrong
}

// patternsOf returns what a body must contain; possible is false if no body can.
func patternsOf(q chat.IndexQuery) (patterns []pattern, possible bool) {
	possible = true
	add := func(text string, prefix, typo bool) {
		units := scan(text)
		possible = possible && len(units) > 0
		patterns = append(patterns, patternsIn(units, prefix && endsIn(units, text), typo)...)
	}
	for i, w := range q.Words {
		add(w, q.Prefix && i == len(q.Words)-1, true)
	}
	for _, phrase := range q.Phrases {
		add(phrase, false, false)
	}
	return patterns, possible
}

// patternsIn returns what a word or a phrase asks for.
func patternsIn(units []unit, prefix, typo bool) (patterns []pattern) {
	var side []unit
	covered := 0 // by the signs of the last word
	for _, u := range units {
		switch {
		case u.kind == word:
			u = u.wanted()
			covered = u.to
			side = append(side, u)
		case u.kind == gram:
			side = append(side, u)
		case u.start >= covered:
			patterns = append(patterns, pattern{units: []unit{u}})
		}
	}
	if len(side) == 0 {
		return patterns
	}
	side = side[:min(len(side), maxUnits)]
	typo = typo && len(side) == 1 && mayHaveTypo(side[0].text)
	return append(patterns, pattern{units: side, prefix: prefix, typo: typo})
}

// endsIn reports whether a text ends with a word, or the signs after one, which may be
// unfinished.
func endsIn(units []unit, text string) bool {
	for len(units) > 0 && units[len(units)-1].kind == symbol {
		units = units[:len(units)-1]
	}
	n := len(units)
	return n > 0 && n <= maxUnits && units[n-1].kind == word && units[n-1].to == len(text)
}

// mayHaveTypo reports whether a word is long enough and Latin: in other scripts a
// different letter makes a different word.
func mayHaveTypo(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Latin, r) {
			return false
		}
	}
	return utf8.RuneCountInString(s) >= typoLetters
}
