// Package lookalike reduces a name to what it looks like: two names that people may take for
// each other have one skeleton, in the words of Unicode's UTS #39.
// It knows nothing of users, nor of what follows from a likeness.
package lookalike

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Version is that of the skeletons. Raise it with every change of them and of the table:
// skeletons that are stored are then made anew.
const Version = 3

// confusables has a line for each character that looks like others: the character, a tab, and
// those. It is confusables.txt of Unicode 18, made by scripts/tables.mjs.
//
//go:embed confusables.txt
var confusables string

// Skeleton returns what s looks like, in lower case: the letters of all alphabets as those that
// they resemble, the digits too, and nothing that is not drawn. It is not for people to read.
func Skeleton(s string) string {
	var b, word strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case isIgnored(r):
		case unicode.IsSpace(r):
			b.WriteString(lower(word.String()) + " ")
			word.Reset()
		default:
			for _, letter := range plain(r) {
				word.WriteString(prototype(letter))
			}
		}
	}
	return norm.NFD.String(b.String() + lower(word.String()))
}

// lower returns the lower case of a word of prototypes. Among capitals of whatever alphabet, what
// looks like an l is an I, and an M is none of the pairs that look like an m.
func lower(word string) string {
	if strings.ContainsFunc(word, unicode.IsUpper) && !strings.ContainsFunc(word, isSmall) {
		word = strings.ReplaceAll(strings.ReplaceAll(word, "l", "i"), "M", "rn")
	}
	return strings.ToLower(norm.NFD.String(word))
}

// isSmall reports whether a prototype is a small letter that no capital has.
func isSmall(r rune) bool { return r != 'l' && unicode.IsLower(r) }

// isIgnored reports whether a font draws nothing for a character, or not more than it does for
// the one before it.
func isIgnored(r rune) bool {
	return r >= utf8.RuneSelf && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) &&
		unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// prototype finds what a character looks like, itself if it is in no line of the table.
func prototype(r rune) string {
	wanted := string(r)
	low, high := 0, len(confusables) // where lines begin
	for low < high {
		middle := low + (high-low)/2
		begin := strings.LastIndexByte(confusables[:middle], '\n') + 1
		line, _, _ := strings.Cut(confusables[begin:], "\n")
		character, like, _ := strings.Cut(line, "\t")
		switch {
		case character == wanted:
			return like
		case character < wanted:
			low = begin + len(line) + 1
		default:
			high = begin
		}
	}
	return wanted
}

// styled are the first letters of alphabets of Latin letters that are drawn in another way and that
// Unicode gives no decomposition: white on black circles and squares, and flags in pairs.
const styled = "🅐🅰🇦"

// smallCapitals are the letters, and smallOf what they are capitals of, one for one.
const (
	smallCapitals = "ᴀʙᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴘꞯʀᴛᴜʏ"
	smallOf       = "abdefghijklmnpqrtuy"
)

// plain returns the letter that a character draws in another style, as in ⓐ, 🅰 and ᴀ, and any
// other as it is.
func plain(r rune) string {
	for _, first := range styled {
		if r >= first && r < first+26 {
			return string('a' + r - first)
		}
	}
	if before, _, found := strings.Cut(smallCapitals, string(r)); found {
		return string(smallOf[utf8.RuneCountInString(before)])
	}
	if letters := norm.NFKD.String(string(r)); unicode.IsLetter([]rune(letters)[0]) {
		return letters
	}
	return string(r)
}
