package chat

import (
	"slices"
	"strings"
	"testing"
)

func TestEmoji(t *testing.T) {
	for _, emoji := range []string{"👍", "❤", "❤️", "1️⃣", "1\u20e3", "#️⃣", "*️⃣", "#\u20e3", "👩🏽‍❤️‍💋‍👨🏿", "👩🏽‍❤‍💋‍👨🏿", "👨‍👩‍👧‍👦", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
		"🇩🇪", "🇺🇳", "🏳️‍🌈", "🏴‍☠️", "©", "©️", "‼️", "↔️", "㊗️", "🙂‍↔️", "👋🏿", "☝🏽", "🫩", "Ⓜ️", "🅰️", "❓", "〰️", "🐦‍🔥"} {
		if got, err := validEmoji(emoji); err != nil || got != emoji {
			t.Errorf("%+q: %q, %v", emoji, got, err)
		}
	}
	if got, err := validEmoji("❤\ufe0e"); err != nil || got != "❤" {
		t.Errorf("the text form: %+q, %v", got, err)
	}
	for _, text := range append(undrawn(), "", "a b", "👍\u200b", "\u202e👍", "\u200d👍", "👍\u200d", "👍\u3164", "a\x00", "\xff", strings.Repeat("x", 64),
		"+1", ":+1:", "a", "1", "#", "*", "/", "?", ".", "..", "%", "%2F", "字", "é", "\n", "👍\n", "👍\n👎", "👍👎", "👍👍", "👍🏽🏽", "🏽", "🇩", "🇽🇽", "🇩🇪🇫🇷", "❤️❤️",
		"\ufe0f❤", "❤\ufe0f\ufe0f", "\ufe0f", "\ufe0e", "👍‍👎", "🏴\U000e0067", "\u20e3", "1\ufe0f", "<", "ok 👍", "👍 ", " ", "♩", "→") {
		if _, err := validEmoji(text); CodeOf(err) != BadRequest {
			t.Errorf("%+q passes as an emoji: %v", text, err)
		}
	}
}

// TestEmojiTable: every line is an emoji that fits, without selectors.
func TestEmojiTable(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(emojis, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) < 3900 {
		t.Errorf("%d lines, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	if two := lines[0] + "\n" + lines[1]; isEmoji(two) {
		t.Errorf("%+q is one emoji", two)
	}
	for _, line := range lines {
		if !isEmoji(line) || PlainEmoji(line) != line || drawsNothing(line) {
			t.Errorf("%+q", line)
		}
	}
}
