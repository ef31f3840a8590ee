package chat

import (
	"html"
	"strings"
	"unicode/utf8"
)

const (
	// highlightLength is how much of a body is shown around a match, in
	// characters; highlightBefore is how much of that precedes the match.
	highlightLength = 240
	highlightBefore = 60
)

// Highlight returns the part of a body around its first match, as HTML in which
// only <mark> and </mark> are markup, and tables without theirs. Marks that do not fit
// the body are ignored.
func Highlight(body string, marks []Mark) string {
	body, marks = withoutTables(body, marks)
	from, to := excerpt(body, marks)
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	at := from
	for _, m := range marks {
		start, end := max(m.Start, at), min(m.End, to)
		if start >= end || m.Start < from || !onBoundaries(body, start, end) {
			continue
		}
		b.WriteString(html.EscapeString(body[at:start]))
		b.WriteString("<mark>" + html.EscapeString(body[start:end]) + "</mark>")
		at = end
	}
	b.WriteString(html.EscapeString(body[at:to]))
	if to < len(body) {
		b.WriteString("…")
	}
	return b.String()
}

// excerpt chooses the part of the body to show.
func excerpt(body string, marks []Mark) (from, to int) {
	if len(marks) > 0 && onBoundaries(body, marks[0].Start, marks[0].End) {
		from = back(body, marks[0].Start, highlightBefore)
	}
	to = forth(body, from, highlightLength)
	if to == len(body) && from > 0 {
		from = min(from, back(body, to, highlightLength))
	}
	return from, to
}

func onBoundaries(body string, start, end int) bool {
	return start >= 0 && start < end && end <= len(body) && utf8.RuneStart(body[start]) &&
		(end == len(body) || utf8.RuneStart(body[end]))
}

// back and forth move a position by at most that many characters.
func back(body string, at, characters int) int {
	for ; at > 0 && characters > 0; characters-- {
		_, size := utf8.DecodeLastRuneInString(body[:at])
		at -= size
	}
	return at
}

func forth(body string, at, characters int) int {
	for ; at < len(body) && characters > 0; characters-- {
		_, size := utf8.DecodeRuneInString(body[at:])
		at += size
	}
	return at
}
