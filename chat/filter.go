package chat

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Admits judges a message by the query's filters.
func (q IndexQuery) Admits(m Message) bool {
	return (q.SenderID == "" || m.SenderID == q.SenderID) && m.CreatedAt >= q.Since &&
		(q.Until == 0 || m.CreatedAt < q.Until) && (!q.Links || HasLink(m.Body)) && slices.Contains(q.ChatIDs, m.ChatID)
}

// HasLink says whether a body has a link in it: http:// or https://, in any case,
// and something after it.
func HasLink(body string) bool {
	for _, scheme := range []string{"http://", "https://"} {
		for rest, found := strings.ToLower(body), true; found; {
			_, rest, found = strings.Cut(rest, scheme)
			if r, _ := utf8.DecodeRuneInString(rest); found && rest != "" && !isBlank(r) {
				return true
			}
		}
	}
	return false
}
