package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"fechatter/bus"
	"fechatter/hub"
	"fechatter/persistence"
	"fechatter/presence"
)

// collector shows the counters that a part keeps for itself: one snapshot for
// each time that /metrics is read.
type collector[S any] struct {
	read   func() S
	series []series[S]
}

type series[S any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(S) float64
}

func gauge[S any](name, help string, value func(S) float64) series[S] {
	return series[S]{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
}

func total[S any](name, help string, value func(S) float64) series[S] {
	return series[S]{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, value}
}

// Describe is part of prometheus.Collector.
func (c collector[S]) Describe(ch chan<- *prometheus.Desc) {
	for _, s := range c.series {
		ch <- s.desc
	}
}

// Collect is part of prometheus.Collector.
func (c collector[S]) Collect(ch chan<- prometheus.Metric) {
	snapshot := c.read()
	for _, s := range c.series {
		ch <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(snapshot))
	}
}

func busCollector(read func() bus.Stats) prometheus.Collector {
	return collector[bus.Stats]{read, []series[bus.Stats]{
		gauge("fechatter_bus_connected", "Whether the bus is reached (1) or lost (0).", func(s bus.Stats) float64 { return oneIf(s.Connected) }),
		gauge("fechatter_bus_subscriptions", "Streams subscribed on the bus.", func(s bus.Stats) float64 { return float64(s.Subscriptions) }),
		gauge("fechatter_bus_queue_bytes", "Bytes published and not yet given to the bus.", func(s bus.Stats) float64 { return float64(s.Queued) }),
		total("fechatter_bus_published_total", "Events given to the bus.", func(s bus.Stats) float64 { return float64(s.Published) }),
		total("fechatter_bus_dropped_total", "Events not given to the bus: it was lost, or too slow.", func(s bus.Stats) float64 { return float64(s.Dropped) }),
		total("fechatter_bus_received_total", "Events of other nodes.", func(s bus.Stats) float64 { return float64(s.Received) }),
		total("fechatter_bus_refused_total", "Of those, events that could not be read.", func(s bus.Stats) float64 { return float64(s.Refused) }),
		total("fechatter_bus_gaps_total", "Times that events of other nodes were dropped because this one was slow.", func(s bus.Stats) float64 { return float64(s.Gaps) }),
		total("fechatter_bus_reconnects_total", "Times that the bus was lost and came back.", func(s bus.Stats) float64 { return float64(s.Reconnects) }),
	}}
}

func hubCollector(read func() hub.Stats) prometheus.Collector {
	return collector[hub.Stats]{read, []series[hub.Stats]{
		gauge("fechatter_connections", "Live connections.", func(s hub.Stats) float64 { return float64(s.Connections) }),
		gauge("fechatter_streams", "Streams held in memory.", func(s hub.Stats) float64 { return float64(s.Streams) }),
		gauge("fechatter_subscriptions", "Connections times the streams each is subscribed to.", func(s hub.Stats) float64 { return float64(s.Subscriptions) }),
		gauge("fechatter_queue_bytes", "Bytes that wait for slow connections.", func(s hub.Stats) float64 { return float64(s.QueuedBytes) }),
		gauge("fechatter_ring_bytes", "Bytes kept for replay.", func(s hub.Stats) float64 { return float64(s.RingBytes) }),
		total("fechatter_events_total", "Events taken in order.", func(s hub.Stats) float64 { return float64(s.Events) }),
		total("fechatter_deliveries_total", "Frames written or queued, over all connections.", func(s hub.Stats) float64 { return float64(s.Deliveries) }),
		total("fechatter_ephemeral_dropped_total", "Typing and the like not sent to slow connections.", func(s hub.Stats) float64 { return float64(s.EphemeralDrops) }),
		total("fechatter_slow_closes_total", "Connections closed because their queue was full.", func(s hub.Stats) float64 { return float64(s.SlowCloses) }),
		total("fechatter_heartbeat_closes_total", "Connections closed because a ping went unanswered.", func(s hub.Stats) float64 { return float64(s.HeartbeatCloses) }),
		total("fechatter_hub_resets_total", "Subscriptions ended because the stream could not go on without a hole.", func(s hub.Stats) float64 { return float64(s.Resets) }),
		total("fechatter_foreign_total", "Events from the bus that were published in another history of the database.", func(s hub.Stats) float64 { return float64(s.Foreign) }),
		total("fechatter_discarded_total", "Events from the bus that the database does not have.", func(s hub.Stats) float64 { return float64(s.Discarded) }),
		repairs("hole", func(s hub.Stats) float64 { return float64(s.RepairsHole) }),
		repairs("attach", func(s hub.Stats) float64 { return float64(s.RepairsAttach) }),
		repairs("check", func(s hub.Stats) float64 { return float64(s.RepairsCheck) }),
		total("fechatter_repair_errors_total", "Repairs that failed and are tried again.", func(s hub.Stats) float64 { return float64(s.RepairErrors) }),
		total("fechatter_position_errors_total", "Position checks that failed.", func(s hub.Stats) float64 { return float64(s.PositionErrors) }),
		total("fechatter_ring_loads_total", "Rings filled from the database for a resume.", func(s hub.Stats) float64 { return float64(s.RingLoads) }),
		total("fechatter_page_reads_total", "Pages of events read from the database for a resume.", func(s hub.Stats) float64 { return float64(s.PageReads) }),
	}}
}

func repairs(cause string, value func(hub.Stats) float64) series[hub.Stats] {
	desc := prometheus.NewDesc("fechatter_repairs_total", "Reads of events that did not come by themselves, by what showed it: a hole, an attach, the position check.",
		nil, prometheus.Labels{"cause": cause})
	return series[hub.Stats]{desc, prometheus.CounterValue, value}
}

func storeCollector(read func() persistence.Stats) prometheus.Collector {
	return collector[persistence.Stats]{read, []series[persistence.Stats]{
		gauge("fechatter_send_queue_length", "Sends that wait for the next group commit.", func(s persistence.Stats) float64 { return float64(s.Queued) }),
		gauge("fechatter_send_waiting", "Sends accepted and not answered yet, those of the queue among them.", func(s persistence.Stats) float64 { return float64(s.Waiting) }),
		total("fechatter_commit_lanes_total", "Chats that waited for their lock alone, on a connection of their own.", func(s persistence.Stats) float64 { return float64(s.Lanes) }),
		total("fechatter_commit_cursor_groups_total", "Group commits of cursors.", func(s persistence.Stats) float64 { return float64(s.Cursors) }),
		total("fechatter_commit_bisections_total", "Groups split because the database refused a send.", func(s persistence.Stats) float64 { return float64(s.Bisections) }),
		total("fechatter_commit_skips_total", "Chats left to the next group because their lock was held.", func(s persistence.Stats) float64 { return float64(s.Skips) }),
	}}
}

func presenceCollector(read func() presence.Stats) prometheus.Collector {
	return collector[presence.Stats]{read, []series[presence.Stats]{
		gauge("fechatter_presence_people", "People with a connection here.", func(s presence.Stats) float64 { return float64(s.People) }),
		gauge("fechatter_presence_devices", "Their connections.", func(s presence.Stats) float64 { return float64(s.Devices) }),
		gauge("fechatter_presence_watched", "People whose presence somebody here watches.", func(s presence.Stats) float64 { return float64(s.Watched) }),
		gauge("fechatter_presence_available", "Whether the leases answer (1) or not (0).", func(s presence.Stats) float64 { return oneIf(!s.Unavailable) }),
	}}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
