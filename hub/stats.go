package hub

import "sync/atomic"

// Stats are counters since the start and gauges as of now.
type Stats struct {
	// Gauges.
	Connections   int64 // registered
	Streams       int64 // known, lingering ones included
	Subscriptions int64 // connection × stream
	QueuedBytes   int64 // waiting for sockets
	RingBytes     int64 // kept for replay, overhead included

	// Counters.
	Events          int64 // delivered in order, once per stream
	Deliveries      int64 // frames × connections
	Batches         int64 // pump rounds
	EphemeralDrops  int64 // ephemeral documents not sent
	SlowCloses      int64 // connections closed with 4002
	HeartbeatCloses int64 // connections without an answer to a ping
	FanoutNanos     int64 // time of pump rounds, from taking the frames to the last write tried
	RepairsHole     int64 // source reads because an event came before its predecessors, or was heard of
	RepairsAttach   int64 // source reads because an Attach found the stream behind
	RepairsCheck    int64 // source reads because the position check found the stream behind
	RepairErrors    int64 // of which failed
	Resets          int64 // subscriptions ended because of a hole
	Discarded       int64 // bus events that the database does not have
	Foreign         int64 // bus events of another history of the database
	RingLoads       int64 // source reads to complete a ring
	PageReads       int64 // pages of Source.EventsFor
	PositionErrors  int64 // position checks that failed
}

// counters are the living form of Stats.
type counters struct {
	connections, subscriptions, queuedBytes, ringBytes atomic.Int64
	events, deliveries, batches                        atomic.Int64
	ephemeralDrops, slowCloses, heartbeatCloses        atomic.Int64
	fanoutNanos                                        atomic.Int64
	repairsHole, repairsAttach, repairsCheck           atomic.Int64
	repairErrors, resets, discarded, foreign           atomic.Int64
	ringLoads, pageReads, positionErrors               atomic.Int64
}

// Stats answers the counters as of now.
func (h *Hub) Stats() Stats {
	c := &h.stats
	return Stats{
		Connections: c.connections.Load(), Streams: h.streams.count.Load(), Subscriptions: c.subscriptions.Load(),
		QueuedBytes: c.queuedBytes.Load(), RingBytes: c.ringBytes.Load(),
		Events: c.events.Load(), Deliveries: c.deliveries.Load(), Batches: c.batches.Load(),
		EphemeralDrops: c.ephemeralDrops.Load(), SlowCloses: c.slowCloses.Load(),
		HeartbeatCloses: c.heartbeatCloses.Load(), FanoutNanos: c.fanoutNanos.Load(),
		RepairsHole: c.repairsHole.Load(), RepairsAttach: c.repairsAttach.Load(),
		RepairsCheck: c.repairsCheck.Load(), RepairErrors: c.repairErrors.Load(),
		Resets: c.resets.Load(), Discarded: c.discarded.Load(), Foreign: c.foreign.Load(), RingLoads: c.ringLoads.Load(),
		PageReads: c.pageReads.Load(), PositionErrors: c.positionErrors.Load(),
	}
}
