package indexer

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Document is a message as an engine keeps it.
type Document struct {
	ID        string    `json:"id"`
	ChatID    string    `json:"chat_id"`
	Seq       int64     `json:"seq"`
	SenderID  string    `json:"sender_id"`
	Body      string    `json:"body"`
	CreatedAt chat.Time `json:"-"` // engines keep it as milliseconds since 1970
	Version   int64     `json:"version"`
	HasLink   bool      `json:"has_link"`
}

// Batch is one change of an index. No id is in it twice. An id in Deleted that
// the index does not have is no error.
type Batch struct {
	Documents []Document
	Deleted   []string
}

// Len is how many documents a batch changes.
func (b Batch) Len() int { return len(b.Documents) + len(b.Deleted) }

// Index is one engine's index. Search, Count, Versions and Page may be called
// concurrently with everything; Prepare, Apply and Rebuild are for one goroutine
// at a time. Every method honours ctx and has a bound of its own. An error that
// is not a *RefusedError says that the engine cannot be used now and that asking
// again later may help.
type Index interface {
	// Search is as that of chat.SearchIndex.
	Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error)
	// Prepare makes the index and its settings what this program needs. It may be
	// called at any time, and does nothing where nothing is amiss. An index that is
	// broken or of another version of this program is replaced by an empty one.
	Prepare(ctx context.Context) error
	// Apply makes the change and answers when it is durable and searches see it.
	// A *RefusedError means that nothing is known of the batch but that it will not
	// be taken as it is; it may be given again in parts.
	Apply(ctx context.Context, b Batch) error
	// Count is how many documents there are.
	Count(ctx context.Context) (int64, error)
	// Versions gives the versions of those of the documents that there are.
	Versions(ctx context.Context, ids []string) (map[string]int64, error)
	// Page lists the ids of all documents, in any order, from after on, which is a
	// next of an answer before, "" at the start. next is "" at the end. What changes
	// meanwhile may be missed.
	Page(ctx context.Context, after string, limit int) (ids []string, next string, err error)
	// Rebuild begins an empty index beside this one, and drops one that was begun
	// before and never swapped.
	Rebuild(ctx context.Context) (Rebuild, error)
	// Close gives back what the index holds on to. Search and Count may be under way:
	// they end as always or fail, and fail from then on.
	Close() error
}

// Rebuild is an index in the making, for one goroutine at a time. It ends with
// Swap or Drop.
type Rebuild interface {
	Apply(ctx context.Context, b Batch) error // as that of Index
	// Swap puts it into the place of the index: searches find the old one until they
	// find this one. An error leaves the old one in its place.
	Swap(ctx context.Context) error
	Drop(ctx context.Context) error
}

// RefusedError is an engine's word that a batch is not to be indexed as it is,
// however often it is asked.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("refused by the search engine: %s", e.Reason)
}
