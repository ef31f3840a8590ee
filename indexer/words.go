package indexer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxTerm is how much of a word is told apart, in bytes. A longer one is found
// by its beginning.
const maxTerm = 128

type unitKind uint8

const (
	between unitKind = iota // parts words
	within                  // is skipped, and parts nothing
	mark                    // belongs to the letter before
	word                    // letters and digits of scripts that part words
	gram                    // a letter of a script that does not
	symbol                  // an emoji, a currency, a sign
)

// unit is the smallest thing that can be searched for: a word, a letter of a
// script written without spaces, or a symbol, folded, and where it is in the body.
type unit struct {
	text       string
	start, end int
	kind       unitKind
}

// scan cuts a body or a query into units. Of letters it forgets what people do
// not type alike: case, width, accents.
func scan(body string) []unit {
	var units []unit
	begun, end := -1, 0
	finish := func() {
		if begun >= 0 {
			units = append(units, unit{fold(cut(body[begun:end], 4*maxTerm)), begun, end, word})
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
			units = append(units, unit{norm.NFKC.String(body[i : i+n]), i, i + n, kind})
		case between:
			finish()
		}
		i += n
	}
	finish()
	return units
}

// next gives the kind of the first character with what combines with it, and its
// length.
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

func isFlagPart(r rune) bool { return r >= '\U0001F1E6' && r <= '\U0001F1FF' }

func kindOf(r rune) unitKind {
	switch {
	case r < utf8.RuneSelf:
		return kindOfASCII(byte(r))
	case r == 'ー' || r == 'ｰ' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && !unicode.IsPunct(r) && !unicode.IsSymbol(r):
		return gram
	case unicode.IsLetter(r) || unicode.IsNumber(r):
		return word
	case unicode.IsMark(r):
		return mark
	case r >= '\U0001F3FB' && r <= '\U0001F3FF': // the skin of an emoji
		return within
	case unicode.IsSymbol(r):
		return symbol
	case unicode.Is(unicode.Cf, r) && r != '\u200b':
		return within
	}
	return between
}

func kindOfASCII(c byte) unitKind {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return word
	case strings.IndexByte("$+<=>^`|~", c) >= 0:
		return symbol
	}
	return between
}

// fold gives what is compared of a word.
func fold(s string) string {
	if isASCII(s) {
		return cut(strings.ToLower(s), maxTerm)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if isAccent(r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		r = unicode.ToLower(r)
		if plain := spelled(r); plain != "" {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(r)
	}
	return cut(norm.NFC.String(b.String()), maxTerm)
}

// isAccent says which marks may be left out without another word coming out.
func isAccent(r rune) bool {
	return unicode.IsMark(r) && r != '\u3099' && r != '\u309a' && unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew)
}

// spelled gives the letters that people type for one that does not decompose.
func spelled(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'ø':
		return "o"
	case 'ł':
		return "l"
	case 'đ', 'ð':
		return "d"
	case 'ı':
		return "i"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	case 'ς':
		return "σ"
	}
	return ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
