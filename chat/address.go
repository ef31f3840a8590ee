package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordEnd returns where the word that begins at i ends, or the address that it
// begins: one with a scheme, or a host name with a path. A sign is a word by itself.
func wordEnd(s string, i int) int {
	end := i
	for end < len(s) {
		c, size := utf8.DecodeRuneInString(s[end:])
		if !isWordRune(c) && (end == i || c != '.' && c != '-') {
			break
		}
		end += size
	}
	if end == i {
		_, size := utf8.DecodeRuneInString(s[i:])
		return i + size
	}
	path := end + portLen(s[end:])
	if strings.HasPrefix(s[end:], "://") || strings.HasPrefix(s[path:], "/") && isHost(s[i:end]) {
		return addressEnd(s, path)
	}
	return end
}

// portLen returns the length of the port that s begins with, as in :8080.
func portLen(s string) int {
	digits := strings.TrimLeft(strings.TrimPrefix(s, ":"), "0123456789")
	if n := len(s) - len(digits); n > 1 && s[0] == ':' {
		return n
	}
	return 0
}

// isHost reports whether a word is the name of a host: with a top-level domain, an
// IPv4 address, or localhost. Ordinary words that a / divides are not.
func isHost(word string) bool {
	word = strings.TrimSuffix(word, ".")
	if i := strings.LastIndex(word, ".."); i >= 0 {
		word = word[i+2:] // what comes before is of the sentence
	}
	labels := strings.Split(word, ".")
	last := labels[len(labels)-1]
	switch {
	case len(labels) == 1:
		return strings.EqualFold(word, "localhost")
	case strings.Trim(word, "0123456789.") == "":
		return len(labels) == 4
	case len(last) >= 4 && strings.EqualFold(last[:4], "xn--"):
		return true
	}
	notLetter := func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsMark(c) }
	return utf8.RuneCountInString(last) >= 2 && !strings.ContainsFunc(last, notLetter)
}

// addressEnd returns where an address that reaches i ends: before white space, quotes,
// the punctuation of other scripts, or a bracket that closes one around the address.
func addressEnd(s string, i int) int {
	var open []rune
	for j, c := range s[i:] {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 {
				return i + j
			}
			open = open[:len(open)-1]
		default:
			if endsAddress(c) {
				return i + j
			}
		}
	}
	return len(s)
}

func endsAddress(c rune) bool {
	if c < utf8.RuneSelf {
		return c <= ' ' || c == 0x7f || strings.ContainsRune("<>\"`\\|", c)
	}
	return unicode.In(c, unicode.Z, unicode.Cc, unicode.P) || unicode.Is(unicode.Cf, c) && !isJoiner(c)
}

// endsWord reports whether a letter or digit of any script ends s, with the marks on it.
func endsWord(s string) bool {
	s = strings.TrimRightFunc(s, func(c rune) bool { return unicode.In(c, unicode.Mn, unicode.Mc) || isJoiner(c) })
	c, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(c) || unicode.IsDigit(c)
}

func isWordRune(c rune) bool { return unicode.In(c, unicode.L, unicode.M, unicode.Nd) || isJoiner(c) }

// isJoiner reports whether c only tells how the letters around it join.
func isJoiner(c rune) bool { return c == '\u200c' || c == '\u200d' }
