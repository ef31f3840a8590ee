package hub

import "sync/atomic"

// Stats are counters since the start and gauges of the present.
type Stats struct {
	// Gauges.
	Connections   int64 // registered
	Parked        int64 // of those that no goroutine reads, because nothing comes
	Streams       int64 // known, including lingering ones
	Subscriptions int64 // connection × stream
	QueuedBytes   int64 // backlogs of all sockets
	RingBytes     int64 // kept for replay, including overhead

	// Counters.
	Events          int64 // delivered in order, once per stream
	Deliveries      int64 // frames × connections
	Batches         int64 // pump rounds
	EphemeralDrops  int64 // ephemeral documents not sent
	SlowCloses      int64 // connections closed with 4002
	HeartbeatCloses int64 // connections that did not answer a ping
	FloodCloses     int64 // connections closed with 4005 for their control frames and fragments
	FanoutNanos     int64 // time in pump rounds, up to the last attempt to write
	RepairsHole     int64 // source reads after an event overtook its predecessors or was announced
	RepairsAttach   int64 // source reads after an Attach found the stream behind
	RepairsCheck    int64 // source reads after the position check found the stream behind
	RepairErrors    int64 // the source reads above that failed
	Resets          int64 // subscriptions ended by a hole
	Discarded       int64 // bus events that the database does not have
	Foreign         int64 // bus events of another history of the database
	Falsehoods      int64 // events found to have been delivered that the database does not have
	RingLoads       int64 // source reads to complete a ring
	PageReads       int64 // pages of Source.EventsFor
	PositionErrors  int64 // position checks that failed
}

// counters are what Stats is a snapshot of.
type counters struct {
	connections, parked                         atomic.Int64
	subscriptions, queuedBytes, ringBytes       atomic.Int64
	events, deliveries, batches                 atomic.Int64
	ephemeralDrops, slowCloses, heartbeatCloses atomic.Int64
	floodCloses, fanoutNanos                    atomic.Int64
	repairsHole, repairsAttach, repairsCheck    atomic.Int64
	repairErrors, resets, discarded, foreign    atomic.Int64
	falsehoods                                  atomic.Int64
	ringLoads, pageReads, positionErrors        atomic.Int64
}

// Stats returns the present counters and gauges.
func (h *Hub) Stats() Stats {
	c := &h.stats
	return Stats{
		Connections: c.connections.Load(), Parked: c.parked.Load(), Streams: h.streams.count.Load(), Subscriptions: c.subscriptions.Load(),
		QueuedBytes: c.queuedBytes.Load(), RingBytes: c.ringBytes.Load(),
		Events: c.events.Load(), Deliveries: c.deliveries.Load(), Batches: c.batches.Load(),
		EphemeralDrops: c.ephemeralDrops.Load(), SlowCloses: c.slowCloses.Load(),
		HeartbeatCloses: c.heartbeatCloses.Load(), FloodCloses: c.floodCloses.Load(), FanoutNanos: c.fanoutNanos.Load(),
		RepairsHole: c.repairsHole.Load(), RepairsAttach: c.repairsAttach.Load(),
		RepairsCheck: c.repairsCheck.Load(), RepairErrors: c.repairErrors.Load(),
		Resets: c.resets.Load(), Discarded: c.discarded.Load(), Foreign: c.foreign.Load(), Falsehoods: c.falsehoods.Load(), RingLoads: c.ringLoads.Load(),
		PageReads: c.pageReads.Load(), PositionErrors: c.positionErrors.Load(),
	}
}
