package indexer

import (
	"context"
	"time"

	"fechatter/chat"
)

// Outbox is the changes in the database that wait to be indexed. Its methods may be
// called concurrently.
type Outbox interface {
	// PendingIndex returns the oldest changes with the messages as they are now,
	// provided that the lease is held at that moment.
	PendingIndex(ctx context.Context, l chat.Lease, limit int) (entries []chat.IndexEntry, held bool, err error)
	// IndexDone removes entries, except those that have changed again since, and logs them,
	// provided that the lease is held at that moment. It returns the position after them.
	IndexDone(ctx context.Context, l chat.Lease, entries []chat.IndexEntry) (position string, held bool, err error)
	// IndexRefused parks an entry until the message changes or RetryRefused.
	IndexRefused(ctx context.Context, e chat.IndexEntry, reason string) error
	// QueueIndex adds messages and returns how many were not already waiting or refused.
	QueueIndex(ctx context.Context, ids []string) (queued int, err error)
	RetryRefused(ctx context.Context) error
}

// Log is what IndexDone has logged, in order. A position is a place in it: it begins with
// the number of messages logged so far.
type Log interface {
	IndexPosition(ctx context.Context) (end string, err error)
	// IndexedSince returns messages that were indexed after a position, as they are now,
	// and the position after those; at the end there are none. known is false if the log
	// no longer has the position, or never had.
	IndexedSince(ctx context.Context, position string) (entries []chat.IndexEntry, next string, known bool, err error)
}

// Messages reads all messages, for a rebuild or a comparison.
type Messages interface {
	HasMessages(ctx context.Context) (bool, error)
	// HasIndexed reports whether the oldest message has left the outbox.
	HasIndexed(ctx context.Context) (bool, error)
	CountMessages(ctx context.Context) (int64, error)
	// IndexPage lists messages by id; next is "" at the end.
	IndexPage(ctx context.Context, after string, limit int) (messages []chat.Message, next string, err error)
	// MessageVersions returns the versions of those that exist and are not deleted.
	MessageVersions(ctx context.Context, ids []string) (map[string]int64, error)
}

// Leases decides which node keeps the index, and holds the job it was asked to run.
type Leases interface {
	AcquireLease(ctx context.Context, l chat.Lease, ttl time.Duration) (held bool, err error)
	ReleaseLease(ctx context.Context, l chat.Lease) error
	IndexJob(ctx context.Context) (job string, err error)
	SaveIndexJob(ctx context.Context, job string) error
}

// Store is all of them in one database.
type Store interface {
	Outbox
	Log
	Messages
	Leases
}

// DocumentOf returns a message as it is indexed.
func DocumentOf(m chat.Message) Document {
	return Document{ID: m.ID, ChatID: m.ChatID, Seq: m.Seq, SenderID: m.SenderID, Body: m.Body, CreatedAt: m.CreatedAt,
		Version: m.Version, HasLink: chat.HasLink(m.Body)}
}

// batchOf returns the change to the index for entries of the outbox.
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
