package chat

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// IndexQuery is a search as an engine receives it: parsed and confined to chats.
type IndexQuery struct {
	// Words must all be in the body, each as a word; a long one may have one wrong
	// letter, though not the first. A word contains no white space and at least one
	// letter, digit or symbol; its case does not matter.
	Words []string
	// Prefix allows the last of Words to be the beginning of a word.
	Prefix bool
	// Phrases must all be in the body, with the words of each side by side.
	Phrases []string

	ChatIDs   []string // the message is in one of them; with none, an engine finds nothing
	SenderIDs []string // by one of them; with none, by anyone
	Since     Time     // inclusive; 0: no bound
	Until     Time     // exclusive; 0: no bound
	Links     bool     // only messages with a link in the body

	Limit int // of hits to return, at least 1

	// Indexed is that of the caller's IndexTail: an index that lacks any of it must refuse.
	Indexed int64
}

// IndexTail is what a search index may not have yet.
type IndexTail struct {
	// Messages are the newest of a user's chats whose last change is not in the index,
	// deleted ones included, newest first.
	Messages []Message
	// Indexed counts what the index had been given by then, in a log of all that was.
	Indexed int64
	// Lag is how long the oldest change in any chat has been waiting.
	Lag time.Duration
}

// Text reports whether the query searches bodies, not by filters alone.
func (q IndexQuery) Text() bool { return len(q.Words) > 0 || len(q.Phrases) > 0 }

// Admits reports whether a message passes the query's filters.
func (q IndexQuery) Admits(m Message) bool {
	return (len(q.SenderIDs) == 0 || slices.Contains(q.SenderIDs, m.SenderID)) && m.CreatedAt >= q.Since &&
		(q.Until == 0 || m.CreatedAt < q.Until) && (!q.Links || HasLink(m.Body)) && slices.Contains(q.ChatIDs, m.ChatID)
}

// HasLink reports whether a body contains a link: http:// or https://, in any
// case, followed by something.
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

// IndexHits is what an engine found: best first, and newest first among equals or
// when the query has no text.
type IndexHits struct {
	Hits  []IndexHit
	Total int // of all matches; an estimate if there are more than Hits
}

// IndexHit is a message as the index has it. The database may know better.
type IndexHit struct {
	ID      string
	Version int64
	Marks   []Mark // what matched, in the form of JoinMarks; none when the query has no text
}

// Mark is a range of bytes in a body, from Start up to but not including End.
type Mark struct{ Start, End int }

// maxMarks is how many marks a hit can have. A page of hits travels between nodes
// in one message, and an excerpt has no room for many more.
const maxMarks = 16

// JoinMarks sorts marks in place, merges those that touch, and keeps the first
// maxMarks.
func JoinMarks(marks []Mark) []Mark {
	slices.SortFunc(marks, func(a, b Mark) int { return a.Start - b.Start })
	var joined []Mark
	for _, m := range marks {
		if n := len(joined); n > 0 && m.Start <= joined[n-1].End {
			joined[n-1].End = max(joined[n-1].End, m.End)
		} else if n < maxMarks {
			joined = append(joined, m)
		}
	}
	return joined
}

// SearchIndex finds messages by their content. It may lag behind the database and
// still hold deleted messages. Its methods may be called concurrently.
type SearchIndex interface {
	// Search honours ctx and returns unavailable when the index cannot be queried.
	Search(ctx context.Context, q IndexQuery) (IndexHits, error)
	// Match returns a function that matches a body against the text of the query
	// just as the index will once it has that body.
	Match(q IndexQuery) func(body string) (marks []Mark, ok bool)
}

// IndexEntry is a change waiting to be indexed: the message as it is now, or nil
// if it must no longer be found.
type IndexEntry struct {
	MessageID string
	Version   int64 // of the change: indexing it covers no later change
	Message   *Message
}

// IndexBacklog is what is waiting to be indexed. Of a large backlog only the
// oldest part is counted.
type IndexBacklog struct {
	Waiting int
	Refused int           // changes that the engine refuses
	Lag     time.Duration // age of the oldest change that is not refused
}

// Lease is the right of one node to do what only one may do at a time.
type Lease struct {
	Name   string
	Holder string // the node
}
