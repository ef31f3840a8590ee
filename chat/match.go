package chat

import (
	"slices"
	"strings"
	"unicode"
)

// HasLink says whether a body has a link in it.
func HasLink(body string) bool {
	for _, scheme := range []string{"http://", "https://"} {
		_, rest, found := strings.Cut(body, scheme)
		if found && rest != "" && !isBlank([]rune(rest[:min(len(rest), 4)])[0]) {
			return true
		}
	}
	return false
}

// Matches judges a body by the text of the query as an engine would, but for
// misspelt words, and answers what matched. It is for the messages that no
// index has yet.
func (q IndexQuery) Matches(body string) (marks []Mark, ok bool) {
	text := fold(body)
	for i, word := range q.Words {
		found := text.find(fold(word).runes, q.Prefix && i == len(q.Words)-1)
		if len(found) == 0 {
			return nil, false
		}
		marks = append(marks, found...)
	}
	for _, phrase := range q.Phrases {
		found := text.find(fold(phrase).runes, false)
		if len(found) == 0 {
			return nil, false
		}
		marks = append(marks, found...)
	}
	return JoinMarks(marks), true
}

// Admits judges a message by the query's filters.
func (q IndexQuery) Admits(m Message) bool {
	return (q.SenderID == "" || m.SenderID == q.SenderID) && m.CreatedAt >= q.Since &&
		(q.Until == 0 || m.CreatedAt < q.Until) && (!q.Links || HasLink(m.Body)) && slices.Contains(q.ChatIDs, m.ChatID)
}

// folded is a text without regard to case, and where each rune began in it.
type folded struct {
	runes []rune
	at    []int // one more than runes: the end
}

func fold(s string) folded {
	f := folded{make([]rune, 0, len(s)), make([]int, 0, len(s)+1)}
	for i, r := range s {
		f.runes, f.at = append(f.runes, unicode.ToLower(unicode.ToUpper(r))), append(f.at, i)
	}
	f.at = append(f.at, len(s))
	return f
}

// find gives every place of term that begins at the begin of a word and, unless
// it is a prefix, ends at the end of one.
func (f folded) find(term []rune, prefix bool) (marks []Mark) {
	for i := 0; i+len(term) <= len(f.runes) && len(term) > 0; i++ {
		end := i + len(term)
		if slices.Equal(f.runes[i:end], term) && f.boundary(i) && (prefix || f.boundary(end)) {
			marks = append(marks, Mark{f.at[i], f.at[end]})
			i = end - 1
		}
	}
	return marks
}

// boundary says whether a word may begin or end before rune i. Where words are
// not divided by spaces, it may do so anywhere.
func (f folded) boundary(i int) bool {
	if i == 0 || i == len(f.runes) {
		return true
	}
	return !inWord(f.runes[i-1]) || !inWord(f.runes[i])
}

func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
