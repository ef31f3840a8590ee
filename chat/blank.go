package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// drawsNothing reports whether a text has no character that can be seen.
func drawsNothing(s string) bool { return strings.TrimLeftFunc(s, isBlankRune) == "" }

// isBlankRune reports whether a character draws nothing: white space, controls, and what
// Unicode lets a font ignore, with the few letters and symbols that are blank by design.
func isBlankRune(r rune) bool {
	return unicode.In(r, unicode.White_Space, unicode.Z, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Variation_Selector) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) || isBlankLetter(r)
}

// isBlankLetter finds the blank Braille pattern, the null note head and the Khitan filler.
func isBlankLetter(r rune) bool { return r == '\u2800' || r == '\U0001d159' || r == '\U00016fe4' }

// isGap reports whether a blank character takes room: white space, and the fillers of Hangul.
func isGap(r rune) bool {
	return unicode.In(r, unicode.White_Space, unicode.Z) || isBlankLetter(r) ||
		r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0'
}

// CleanLine returns the line that shows of a text: white space of any kind as one blank, none at
// the ends, and no characters that draw nothing, such as those that turn the direction of what
// follows, unless they shape their neighbours, as in ❤️ and in می‌خواهم.
func CleanLine(s string) string {
	var b strings.Builder
	var before rune // the last character that was kept
	gap := ""
	for rest := s; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		switch {
		case isGap(r):
			if gap == "" && r == '\u3000' { // the blank that is as wide as the characters around it
				gap = "\u3000"
			} else {
				gap = " "
			}
			before = ' '
		case isBlankRune(r) && !shapes(r, before, rest):
		default:
			if b.Len() > 0 {
				b.WriteString(gap)
			}
			gap, before = "", r
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shapes reports whether a character that draws nothing changes how its neighbours are drawn.
func shapes(r, before rune, after string) bool {
	next, _ := utf8.DecodeRuneInString(after)
	switch {
	case r == '\u200d' && (isPictograph(before) || before == '\ufe0f' || isTag(before)):
		return isPictograph(next)
	case isJoiner(r), r == '\u180e':
		return isJoining(before)
	case isTag(r):
		return before == '🏴' || isTag(before)
	case before < utf8.RuneSelf: // the selector of a keycap
		return r == '\ufe0f' && next == '\u20e3'
	case unicode.Is(unicode.Variation_Selector, r):
		return unicode.In(before, unicode.S, unicode.P, unicode.Han, unicode.Mongolian, unicode.Myanmar, unicode.Phags_Pa)
	}
	return false
}

func isTag(r rune) bool { return r >= '\U000e0020' && r <= '\U000e007f' }

// isPictograph reports whether a character is one of those that make emoji.
func isPictograph(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sk, unicode.Sm) && r >= utf8.RuneSelf && r != utf8.RuneError
}

// isJoining reports whether a letter or mark is of a script whose letters join.
func isJoining(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M) && unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mongolian,
		unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
		unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}
