package bus

import "sync/atomic"

// Stats are totals since the start, and how things are now.
type Stats struct {
	Connected     bool // with every subscription in force
	Subscriptions int
	Queued        int64  // bytes published and not yet given to the connection
	Published     uint64 // events given to the connection
	Dropped       uint64 // events published and dropped: bus lost, queue full, no id
	Received      uint64 // events of other nodes
	Refused       uint64 // of those, what the node could not read
	Gaps          uint64 // times that events of other nodes were dropped here
	Reconnects    uint64
}

type counts struct {
	published, dropped, received, refused, gaps, reconnects atomic.Uint64
}

// Stats returns the counters; they are read one by one, not as a snapshot.
func (b *Bus) Stats() Stats {
	return Stats{
		Connected: b.link.isReady(), Subscriptions: b.interest.count(), Queued: b.queued.Load(),
		Published: b.counts.published.Load(), Dropped: b.counts.dropped.Load(),
		Received: b.counts.received.Load(), Refused: b.counts.refused.Load(),
		Gaps: b.counts.gaps.Load(), Reconnects: b.counts.reconnects.Load(),
	}
}
