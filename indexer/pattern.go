package indexer

import (
	"unicode"
	"unicode/utf8"

	"fechatter/chat"
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

// patternsOf gives all that a body must have; possible is false when no body can.
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

// patternsIn gives what a word or a phrase asks for.
func patternsIn(units []unit, prefix, typo bool) (patterns []pattern) {
	var side []unit
	for _, u := range units {
		if u.kind == symbol {
			patterns = append(patterns, pattern{units: []unit{u}})
		} else {
			side = append(side, u)
		}
	}
	if len(side) == 0 {
		return patterns
	}
	side = side[:min(len(side), maxUnits)]
	typo = typo && len(side) == 1 && mayHaveTypo(side[0].text)
	return append(patterns, pattern{units: side, prefix: prefix, typo: typo})
}

// endsIn says whether a text ends with a word, which may be unfinished.
func endsIn(units []unit, text string) bool {
	n := len(units)
	return n > 0 && n <= maxUnits && units[n-1].kind == word && units[n-1].end == len(text)
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
