package chat

import (
	"context"
	"slices"
	"time"
)

// IndexQuery is a search as an engine gets it: parsed, and confined to chats.
type IndexQuery struct {
	// Words must all be in the body, each as a word, or, where it is long, with
	// a letter wrong that is not the first. A word holds no white space and at least one letter, digit
	// or symbol; its case does not matter.
	Words []string
	// Prefix says that the last of Words may be the beginning of a word.
	Prefix bool
	// Phrases must all be in the body, the words of each side by side.
	Phrases []string

	ChatIDs  []string // the message is in one of them; an engine finds nothing when there are none
	SenderID string   // "": anybody
	Since    Time     // inclusive; 0: from the first on
	Until    Time     // exclusive; 0: to the last
	Links    bool     // only messages with a link in the body

	Limit int // of hits to give, at least 1
}

// Text says whether the query asks for what is in the body, or for its filters alone.
func (q IndexQuery) Text() bool { return len(q.Words) > 0 || len(q.Phrases) > 0 }

// IndexHits is what an engine found: the best first, the newer first of equals,
// and only the newest first when the query has no text.
type IndexHits struct {
	Hits  []IndexHit
	Total int // of all that match, an estimate where it is more than Hits
}

// IndexHit is a message as the index has it. The database may know better.
type IndexHit struct {
	ID      string
	Version int64
	Marks   []Mark // what matched, as of JoinMarks; none when the query has no text
}

// Mark is a part of a body of that version, in bytes: from Start to before End.
type Mark struct{ Start, End int }

// maxMarks is how many a hit has. A page of hits travels between nodes in one
// message, and what is shown of a body has no room for many more.
const maxMarks = 16

// JoinMarks puts marks in order, in place, makes one of those that touch, and
// keeps the first maxMarks.
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

// SearchIndex finds messages by their content. It may be behind the database and
// know of messages that are no more. It may be called concurrently.
type SearchIndex interface {
	// Search honours ctx, and answers unavailable when the index cannot be asked.
	Search(ctx context.Context, q IndexQuery) (IndexHits, error)
	// Match gives how the text of the query judges a body that the index does not
	// have yet: as it will when it has, and which parts match.
	Match(q IndexQuery) func(body string) (marks []Mark, ok bool)
}

// IndexEntry is a change that waits to be indexed: the message as it is now, or
// nil when it is to be found no more.
type IndexEntry struct {
	MessageID string
	Version   int64 // of the change: what is done for it covers no later one
	Message   *Message
}

// IndexBacklog is what waits to be indexed. Of a large backlog the oldest part is
// counted.
type IndexBacklog struct {
	Waiting int
	Refused int           // those that the engine will not take
	Lag     time.Duration // of the oldest that is not refused
}

// Lease is the right of one node to do what only one may do.
type Lease struct {
	Name   string
	Holder string // the node
}
