package indexer

import (
	"cmp"
	"time"

	"fechatter/chat"
)

// Config sets when and how much is indexed. The zero value of every field except
// Node means its default.
type Config struct {
	Node string // the holder of the lease: unique among the nodes that share an index

	BatchSize    int           // changes after which a batch no longer waits; default 10
	BatchTimeout time.Duration // how long the first change of a batch waits at most; default 1 s
	Quiet        time.Duration // a batch no longer waits after this long without changes; default 100 ms
	MaxBatch     int           // changes in one batch of a backlog; default 1,000

	PollEvery    time.Duration // how often the outbox is read for other nodes' changes; default 250 ms
	LeaseTTL     time.Duration // after which another node takes over from a dead one; default 6 s
	CompareEvery time.Duration // how often index and database are compared; default 6 h

	// Indexed, if not nil, is called with each batch once it is in the index and
	// removed from the outbox. The goroutine that indexes calls it: it must not block.
	Indexed func(indexed []chat.IndexEntry, began time.Time)
}

func (c Config) withDefaults() Config {
	c.BatchSize = cmp.Or(c.BatchSize, 10)
	c.BatchTimeout = cmp.Or(c.BatchTimeout, time.Second)
	c.Quiet = cmp.Or(c.Quiet, 100*time.Millisecond)
	c.MaxBatch = max(cmp.Or(c.MaxBatch, 1000), c.BatchSize)
	c.PollEvery = cmp.Or(c.PollEvery, 250*time.Millisecond)
	c.LeaseTTL = cmp.Or(c.LeaseTTL, 6*time.Second)
	c.CompareEvery = cmp.Or(c.CompareEvery, 6*time.Hour)
	return c
}

const (
	leaseName = "index"
	// Waits after a failure of the engine or the database double from firstPause up
	// to longestPause.
	firstPause, longestPause = 250 * time.Millisecond, 5 * time.Second
	// leaveTimeout bounds the work for other nodes when this node stops.
	leaveTimeout = 2 * time.Second
)
