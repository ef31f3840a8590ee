package indexer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"fechatter/fold"

	"golang.org/x/text/unicode/norm"
)

// maxTerm is how much of a word is significant, in bytes. A longer word is found by
// its beginning.
const maxTerm = 128

type unitKind uint8

const (
	between unitKind = iota // separates words
	within                  // is skipped and separates nothing
	mark                    // belongs to the preceding letter
	word                    // letters and digits of scripts that separate words
	gram                    // a letter of a script that does not
	symbol                  // an emoji, a currency, a sign
)

// unit is the smallest thing that can be searched for: a word, a letter of a script
// written without spaces, or a symbol, folded, and its place in the body in bytes.
type unit struct {
	text       string
	start, end int
	kind       unitKind
	signs
}

// scan splits a body or a query into units. It drops differences in typing: case,
// width, accents.
func scan(body string) []unit {
	var units []unit
	begun, end := -1, 0
	finish := func() {
		if begun >= 0 {
			text := cut(fold.Text(cut(body[begun:end], 4*maxTerm)), maxTerm)
			units = append(units, unit{text, begun, end, word, signsAt(body, begun, end, text)})
			begun = -1
		}
	}
	for i := 0; i < len(body); {
		kind, n := next(body[i:])
		switch kind {
		case word, mark:
			if begun < 0 && kind == word {
				begun = i
			}
			end = i + n
		case gram, symbol:
			finish()
			units = append(units, unit{text: norm.NFKC.String(body[i : i+n]), start: i, end: i + n, kind: kind})
		case between:
			finish()
		}
		i += n
	}
	finish()
	return units
}

// next returns the kind of the first character, including what combines with it, and
// its length.
func next(s string) (unitKind, int) {
	if s[0] < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		return kindOf(rune(s[0])), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if isFlagPart(r) {
		if second, more := utf8.DecodeRuneInString(s[size:]); isFlagPart(second) {
			return symbol, size + more
		}
	}
	return kindOf(r), max(norm.NFKC.NextBoundaryInString(s, true), size)
}

func isDigit(r rune) bool { return unicode.Is(unicode.Nd, r) }

func isFlagPart(r rune) bool { return r >= '\U0001F1E6' && r <= '\U0001F1FF' }

func kindOf(r rune) unitKind {
	switch {
	case r < utf8.RuneSelf:
		return kindOfASCII(r)
	case isDigit(r): // in any script
		return word
	case r == 'ـ': // stretches an Arabic word
		return within
	case r == 'ー' || r == 'ｰ' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && !unicode.IsPunct(r) && !unicode.IsSymbol(r):
		return gram
	case unicode.IsLetter(r) || unicode.IsNumber(r):
		return word
	case unicode.IsMark(r):
		return mark
	case r >= '\U0001F3FB' && r <= '\U0001F3FF': // skin tones of emoji
		return within
	case unicode.IsSymbol(r):
		return symbol
	case unicode.Is(unicode.Cf, r) && r != '\u200b':
		return within
	}
	return between
}

func kindOfASCII(c rune) unitKind {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return word
	case strings.ContainsRune("$+<=>^`|~", c):
		return symbol
	}
	return between
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
