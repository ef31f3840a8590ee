package indexer

import (
	"context"
	"time"

	"fechatter/chat"
)

// Outbox is what waits to be indexed, in the database. Its methods may be called
// concurrently.
type Outbox interface {
	// PendingIndex gives the oldest changes, with the messages as they are now, if
	// the lease is held at that moment.
	PendingIndex(ctx context.Context, l chat.Lease, limit int) (entries []chat.IndexEntry, held bool, err error)
	IndexDone(ctx context.Context, entries []chat.IndexEntry) error // unless changed once more since
	IndexRefused(ctx context.Context, e chat.IndexEntry, reason string) error
	// QueueIndex answers how many of them did not wait already, refused or not.
	QueueIndex(ctx context.Context, ids []string) (queued int, err error)
	RetryRefused(ctx context.Context) error
}

// Messages reads all of them, for an index that is made anew or compared.
type Messages interface {
	HasMessages(ctx context.Context) (bool, error)
	HasIndexed(ctx context.Context) (bool, error) // whether the oldest waits no more in the outbox
	CountMessages(ctx context.Context) (int64, error)
	// IndexPage goes by id; next is "" at the end.
	IndexPage(ctx context.Context, after string, limit int) (messages []chat.Message, next string, err error)
	// MessageVersions gives the versions of those that exist and are not deleted.
	MessageVersions(ctx context.Context, ids []string) (map[string]int64, error)
}

// Leases says which node keeps the index, and what it was asked to do.
type Leases interface {
	TakeLease(ctx context.Context, l chat.Lease, ttl time.Duration) (held bool, err error)
	LeaveLease(ctx context.Context, l chat.Lease) error
	IndexJob(ctx context.Context) (job string, err error)
	SaveIndexJob(ctx context.Context, job string) error
}

// Store is all three in one database.
type Store interface {
	Outbox
	Messages
	Leases
}

// DocumentOf is a message as it is indexed.
func DocumentOf(m chat.Message) Document {
	return Document{ID: m.ID, ChatID: m.ChatID, Seq: m.Seq, SenderID: m.SenderID, Body: m.Body, CreatedAt: m.CreatedAt,
		Version: m.Version, HasLink: chat.HasLink(m.Body)}
}

// batchOf is what has to be done to the index for entries of the outbox.
func batchOf(entries []chat.IndexEntry) (b Batch) {
	for _, e := range entries {
		if e.Message == nil {
			b.Deleted = append(b.Deleted, e.MessageID)
		} else {
			b.Documents = append(b.Documents, DocumentOf(*e.Message))
		}
	}
	return b
}
