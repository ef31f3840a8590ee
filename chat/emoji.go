package chat

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

// emojis lists Unicode's emoji (RGI, version 17) without EmojiSelector, one a
// line. It is made by scripts/tables.mjs of what the page offers.
//
//go:embed emoji.txt
var emojis string

// The selectors ask for the coloured form of a character, or for the one drawn like text. With or
// without one it is the same emoji: a message keeps whichever spelling came first.
const (
	EmojiSelector = "\uFE0F"
	TextSelector  = "\uFE0E"
)

// validEmoji checks a reaction, and returns it without TextSelector.
func validEmoji(e string) (string, error) {
	e = WithoutTextSelector(e)
	if !isEmoji(e) {
		return "", notEmoji()
	}
	return e, nil
}

// isEmoji reports whether s is one emoji: a sequence that Unicode recommends, with EmojiSelector
// after any of its characters, or without.
func isEmoji(s string) bool {
	if len(s) > maxEmojiBytes || s == "" || strings.Contains(s, "\n") || strings.Contains(EmojiSelector+s, EmojiSelector+EmojiSelector) {
		return false
	}
	line := PlainEmoji(s) + "\n"
	return strings.HasPrefix(emojis, line) || strings.Contains(emojis, "\n"+line)
}

// wasReaction reports whether s may be a reaction from the time when those were any text.
func wasReaction(s string) bool {
	return len(s) <= maxEmojiBytes && utf8.ValidString(s) && !strings.ContainsRune(s, 0) && !drawsNothing(s)
}

// WithoutTextSelector returns an emoji as it is stored: what was asked to look like text is an
// emoji too.
func WithoutTextSelector(emoji string) string { return strings.ReplaceAll(emoji, TextSelector, "") }

// PlainEmoji returns an emoji without selectors: two are the same if these are.
func PlainEmoji(emoji string) string {
	return strings.ReplaceAll(WithoutTextSelector(emoji), EmojiSelector, "")
}

func notEmoji() *Error { return Errorf(BadRequest, "a reaction must be one emoji") }
