package indexer

import (
	"context"
	"fmt"

	"fechatter/chat"
)

// Document is a message as an engine stores it.
type Document struct {
	ID        string    `json:"id"`
	ChatID    string    `json:"chat_id"`
	Seq       int64     `json:"seq"`
	SenderID  string    `json:"sender_id"`
	Body      string    `json:"body"`
	CreatedAt chat.Time `json:"-"` // engines store milliseconds since 1970
	Version   int64     `json:"version"`
	HasLink   bool      `json:"has_link"`
}

// Batch is one change to an index. It contains no id twice. An id in Deleted that
// the index does not have is not an error.
type Batch struct {
	Documents []Document
	Deleted   []string
	// Position is, for an index that keeps it, where in the log of indexing nothing is
	// missing before this batch; "" leaves it as it is.
	Position string
}

// Len returns the number of documents that a batch changes.
func (b Batch) Len() int { return len(b.Documents) + len(b.Deleted) }

// Index is one engine's index. Search, Count, Versions and Page may be called
// concurrently with everything; Prepare, Apply and Rebuild are for one goroutine at
// a time. Every method honours ctx and has a time limit of its own. An error that is
// not a *RefusedError means that the engine cannot be used now and that a retry may
// help.
type Index interface {
	// Search is that of chat.SearchIndex.
	Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error)
	// Prepare creates or repairs the index and its settings as this program needs
	// them. It may be called at any time and does nothing if nothing is wrong. An
	// index that is damaged or of another version is replaced by an empty one.
	Prepare(ctx context.Context) error
	// Apply makes the change and returns once it is durable and visible to searches.
	// After a *RefusedError any part of the batch may or may not have been applied;
	// the batch may be split and retried.
	Apply(ctx context.Context, b Batch) error
	// Count returns the number of documents.
	Count(ctx context.Context) (int64, error)
	// Versions returns the versions of those of the documents that exist.
	Versions(ctx context.Context, ids []string) (map[string]int64, error)
	// Page lists the ids of all documents, in any order. after is the next of the
	// previous page, "" at the start; next is "" at the end. Documents that change
	// between pages may be missed.
	Page(ctx context.Context, after string, limit int) (ids []string, next string, err error)
	// Rebuild begins an empty index beside this one, and drops an earlier one that
	// was never swapped.
	Rebuild(ctx context.Context) (Rebuild, error)
	// Close releases what the index holds. Calls of Search and Count in progress
	// complete or fail; later calls fail.
	Close() error
}

// Rebuild is an index in the making, for one goroutine at a time. It ends with
// Swap or Drop.
type Rebuild interface {
	Apply(ctx context.Context, b Batch) error // as that of Index
	// Swap replaces the index by the rebuilt one: every search sees one or the other.
	// After an error the old one stays in place.
	Swap(ctx context.Context) error
	Drop(ctx context.Context) error
}

// RefusedError means that an engine will never index a batch as it is.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("refused by the search engine: %s", e.Reason)
}
