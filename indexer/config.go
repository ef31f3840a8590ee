package indexer

import (
	"cmp"
	"time"

	"fechatter/chat"
)

// Config says when and how much is indexed. The zero value of everything but
// Node is the default.
type Config struct {
	Node string // the holder of the lease: unique among the nodes that share an index

	BatchSize    int           // changes after which a batch does not wait any more; default 10
	BatchTimeout time.Duration // how long the first of a batch waits at most; default 1 s
	Quiet        time.Duration // a batch goes out when nothing came for so long; default 100 ms
	MaxBatch     int           // changes in one batch when there is a backlog; default 1,000

	PollEvery    time.Duration // how often the outbox is looked at for what other nodes stored; default 250 ms
	LeaseTTL     time.Duration // after which another node takes over from one that died; default 6 s
	CompareEvery time.Duration // how often index and database are compared; default 6 h

	// Indexed is told of each batch once it is in the index and the outbox knows;
	// by the goroutine that indexes: it must not block. nil: nobody.
	Indexed func(taken []chat.IndexEntry, began time.Time)
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
	// Waits after a failure of the engine or the database double from the first to
	// the second.
	firstPause, longestPause = 250 * time.Millisecond, 5 * time.Second
	// leaveTimeout bounds what is done for others when this node stops.
	leaveTimeout = 2 * time.Second
)
