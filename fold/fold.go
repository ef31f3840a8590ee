// Package fold reduces a text to the form in which it is searched and compared: without
// differences that people do not type or see, such as case, width, accents, variants of a letter
// and how much white space there is.
// It knows nothing of words; indexer splits a message into them, and folds each.
package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version is that of the rules. Raise it with every change of them, in TypeScript
// (web/src/page/text/fold.ts) too: folded texts that are stored are then folded again.
const Version = 2

// Text returns the folded form of s. Two texts are the same to a search if their forms are.
// Folding a folded text changes nothing.
func Text(s string) string {
	if isPlain(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	blank := false
	for _, r := range norm.NFKD.String(s) {
		if isAccent(r) || r == tatweel || unicode.Is(unicode.Cf, r) || blank && unicode.IsSpace(r) {
			continue
		}
		blank = unicode.IsSpace(r)
		if blank {
			r = ' '
		}
		r = unicode.ToLower(r)
		if plain := spelled(r); plain != "" {
			b.WriteString(plain)
			continue
		}
		b.WriteRune(digit(r))
	}
	return norm.NFC.String(b.String())
}

// tatweel stretches Arabic words and means nothing.
const tatweel = '\u0640'

// isAccent reports whether a mark may be left out without making a different word.
func isAccent(r rune) bool {
	return unicode.IsMark(r) && r != '\u3099' && r != '\u309a' && unicode.In(r, unicode.Inherited, unicode.Arabic, unicode.Hebrew)
}

// spelled returns what people type for a letter that does not decompose, and for the
// apostrophes and hyphens that phones and word processors put into names, otherwise "".
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
	case 'ħ':
		return "h"
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
	case 'ٱ':
		return "ا"
	case 'ى', 'ی', 'ے', 'ې': // alef maksura, the Persian, Urdu and Pashto yeh
		return "ي"
	case 'ک', 'ڪ': // the Persian and the swash kaf
		return "ك"
	case 'ة', 'ہ', 'ھ', 'ۃ', 'ە': // marbuta and the heh of Urdu and Kurdish
		return "ه"
	case '‘', '’', '‛', '′':
		return "'"
	case '‐', '‒', '–', '—', '―', '−': // the one that does not break decomposes
		return "-"
	}
	return ""
}

// digit returns the ASCII digit of a decimal digit in any script, and any other r as it is.
// Every script has its ten digits in a row.
func digit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
		return r
	}
	value := rune(0)
	for unicode.Is(unicode.Nd, r-value-1) {
		value++
	}
	return '0' + value%10
}

// isPlain reports whether s is ASCII, with no white space but single blanks.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] < ' ' || s[i] == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}
