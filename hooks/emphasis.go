package hooks

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// emphasized replaces Slack's sign around text, at the edges of words and on one line, by
// Markdown's. A run of signs is none.
func emphasized(text string, sign byte, mark string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		emphasizeLine(&b, line, sign, mark)
	}
	return b.String()
}

func emphasizeLine(b *strings.Builder, line string, sign byte, mark string) {
	from := 0
	for at := 0; at < len(line); at++ {
		if line[at] != sign || !opens(line, at, sign) {
			continue
		}
		end := closing(line, at+1, sign)
		if end < 0 {
			break // nor is there one for a later sign
		}
		b.WriteString(line[from:at] + mark + line[at+1:end] + mark)
		at, from = end, end+1
	}
	b.WriteString(line[from:])
}

// closing returns where the sign stands that ends an emphasis; -1 if it is nowhere.
func closing(line string, from int, sign byte) int {
	for at := from; at < len(line); at++ {
		if line[at] == sign && at > from && closes(line, at, sign) {
			return at
		}
	}
	return -1
}

func opens(line string, at int, sign byte) bool {
	before, _ := utf8.DecodeLastRuneInString(line[:at])
	after, _ := utf8.DecodeRuneInString(line[at+1:])
	return isEdge(before, at == 0, sign) && at+1 < len(line) && after != rune(sign) && !unicode.IsSpace(after)
}

func closes(line string, at int, sign byte) bool {
	before, _ := utf8.DecodeLastRuneInString(line[:at])
	after, _ := utf8.DecodeRuneInString(line[at+1:])
	return isEdge(after, at+1 == len(line), sign) && before != rune(sign) && !unicode.IsSpace(before)
}

// isEdge reports whether a word ends at a character, or at the end of the line.
func isEdge(r rune, end bool, sign byte) bool {
	return end || r != rune(sign) && (unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) || strings.ContainsRune(standIn+standInEnd, r))
}
