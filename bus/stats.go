package bus

import "sync/atomic"

// Stats are totals since the start, and the present state.
type Stats struct {
	Connected     bool // with every subscription in force
	Subscriptions int
	Queued        int64  // bytes published but not yet handed to the connection
	Published     uint64 // events handed to the connection
	Dropped       uint64 // events published but dropped: bus lost, queue full, not an id
	Received      uint64 // events of other nodes
	Refused       uint64 // of those, the ones the node could not read
	Unsigned      uint64 // of those, hints without a signature
	Rejected      []Rejection
	Gaps          uint64 // times that events of other nodes were dropped here
	Reconnects    uint64
}

type counts struct {
	published, dropped, received, refused, unsigned, gaps, reconnects atomic.Uint64
}

// Stats reads the counters one by one, not as a snapshot.
func (b *Bus) Stats() Stats {
	return Stats{
		Connected: b.link.isReady(), Subscriptions: b.interest.count(), Queued: b.queued.Load(),
		Published: b.counts.published.Load(), Dropped: b.counts.dropped.Load(),
		Received: b.counts.received.Load(), Refused: b.counts.refused.Load(), Unsigned: b.counts.unsigned.Load(),
		Rejected: b.rejected.list(),
		Gaps:     b.counts.gaps.Load(), Reconnects: b.counts.reconnects.Load(),
	}
}
