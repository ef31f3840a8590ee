package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/door"
	"fechatter/hub"
	"fechatter/indexer"
	"fechatter/persistence"
	"fechatter/presence"
	"fechatter/server"
)

// collector exposes the counters that a part keeps itself: one snapshot per read of
// /metrics.
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

// Describe implements prometheus.Collector.
func (c collector[S]) Describe(ch chan<- *prometheus.Desc) {
	for _, s := range c.series {
		ch <- s.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector[S]) Collect(ch chan<- prometheus.Metric) {
	snapshot := c.read()
	for _, s := range c.series {
		ch <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(snapshot))
	}
}

func busCollector(read func() bus.Stats) prometheus.Collector {
	return collector[bus.Stats]{read, []series[bus.Stats]{
		gauge("fechatter_bus_connected", "Whether the bus is connected (1) or lost (0).", func(s bus.Stats) float64 { return oneIf(s.Connected) }),
		gauge("fechatter_bus_subscriptions", "Streams subscribed on the bus.", func(s bus.Stats) float64 { return float64(s.Subscriptions) }),
		gauge("fechatter_bus_queue_bytes", "Bytes published but not yet handed to the bus.", func(s bus.Stats) float64 { return float64(s.Queued) }),
		total("fechatter_bus_published_total", "Events handed to the bus.", func(s bus.Stats) float64 { return float64(s.Published) }),
		total("fechatter_bus_dropped_total", "Events not handed to the bus because it was lost or too slow.", func(s bus.Stats) float64 { return float64(s.Dropped) }),
		total("fechatter_bus_received_total", "Events received from other nodes.", func(s bus.Stats) float64 { return float64(s.Received) }),
		total("fechatter_bus_refused_total", "Received events that could not be read.", func(s bus.Stats) float64 { return float64(s.Refused) }),
		total("fechatter_bus_unsigned_total", "Messages without a signature that were taken as hints (bus_unsigned).", func(s bus.Stats) float64 { return float64(s.Unsigned) }),
		total("fechatter_bus_gaps_total", "Times that events of other nodes were dropped because this node was too slow.", func(s bus.Stats) float64 { return float64(s.Gaps) }),
		total("fechatter_bus_reconnects_total", "Times that the bus was lost and reconnected.", func(s bus.Stats) float64 { return float64(s.Reconnects) }),
	}}
}

// rejectionCollector shows what the bus did not believe.
type rejectionCollector struct {
	read func() bus.Stats
	desc *prometheus.Desc
}

func newRejectionCollector(read func() bus.Stats) rejectionCollector {
	return rejectionCollector{read, prometheus.NewDesc("fechatter_bus_rejected_total",
		"Messages from the bus that were not believed and dropped, by kind and reason.", []string{"kind", "reason"}, nil)}
}

// Describe implements prometheus.Collector.
func (c rejectionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c rejectionCollector) Collect(ch chan<- prometheus.Metric) {
	for _, r := range c.read().Rejected {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(r.Count), r.Kind, r.Reason)
	}
}

func hubCollector(read func() hub.Stats) prometheus.Collector {
	return collector[hub.Stats]{read, []series[hub.Stats]{
		gauge("fechatter_connections", "Live connections.", func(s hub.Stats) float64 { return float64(s.Connections) }),
		gauge("fechatter_streams", "Streams held in memory.", func(s hub.Stats) float64 { return float64(s.Streams) }),
		gauge("fechatter_subscriptions", "Subscriptions of connections to streams.", func(s hub.Stats) float64 { return float64(s.Subscriptions) }),
		gauge("fechatter_connections_parked", "Live connections that no goroutine reads, because nothing comes.", func(s hub.Stats) float64 { return float64(s.Parked) }),
		gauge("fechatter_queue_bytes", "Bytes waiting for slow connections.", func(s hub.Stats) float64 { return float64(s.QueuedBytes) }),
		gauge("fechatter_ring_bytes", "Bytes kept for replay.", func(s hub.Stats) float64 { return float64(s.RingBytes) }),
		total("fechatter_events_total", "Events accepted in order.", func(s hub.Stats) float64 { return float64(s.Events) }),
		total("fechatter_deliveries_total", "Frames written or queued, over all connections.", func(s hub.Stats) float64 { return float64(s.Deliveries) }),
		total("fechatter_ephemeral_dropped_total", "Typing and other ephemeral frames not sent to slow connections.", func(s hub.Stats) float64 { return float64(s.EphemeralDrops) }),
		total("fechatter_slow_closes_total", "Connections closed because their queue was full.", func(s hub.Stats) float64 { return float64(s.SlowCloses) }),
		total("fechatter_heartbeat_closes_total", "Connections closed because a ping went unanswered.", func(s hub.Stats) float64 { return float64(s.HeartbeatCloses) }),
		total("fechatter_flood_closes_total", "Connections closed because they sent too many control frames or fragments.", func(s hub.Stats) float64 { return float64(s.FloodCloses) }),
		total("fechatter_hub_resets_total", "Subscriptions ended because the stream could not continue without a hole.", func(s hub.Stats) float64 { return float64(s.Resets) }),
		total("fechatter_foreign_total", "Events from the bus of another epoch of the database.", func(s hub.Stats) float64 { return float64(s.Foreign) }),
		total("fechatter_false_events_total", "Events found to have been delivered that the database does not have; their receivers were reset.", func(s hub.Stats) float64 { return float64(s.Falsehoods) }),
		total("fechatter_discarded_total", "Events from the bus that the database does not have.", func(s hub.Stats) float64 { return float64(s.Discarded) }),
		repairs("hole", func(s hub.Stats) float64 { return float64(s.RepairsHole) }),
		repairs("attach", func(s hub.Stats) float64 { return float64(s.RepairsAttach) }),
		repairs("check", func(s hub.Stats) float64 { return float64(s.RepairsCheck) }),
		total("fechatter_repair_errors_total", "Repairs that failed and are retried.", func(s hub.Stats) float64 { return float64(s.RepairErrors) }),
		total("fechatter_position_errors_total", "Position checks that failed.", func(s hub.Stats) float64 { return float64(s.PositionErrors) }),
		total("fechatter_ring_loads_total", "Rings filled from the database for a resume.", func(s hub.Stats) float64 { return float64(s.RingLoads) }),
		total("fechatter_page_reads_total", "Pages of events read from the database for a resume.", func(s hub.Stats) float64 { return float64(s.PageReads) }),
	}}
}

func repairs(cause string, value func(hub.Stats) float64) series[hub.Stats] {
	desc := prometheus.NewDesc("fechatter_repairs_total", "Reads of events that did not arrive by themselves, by what revealed it: a hole, an attach or the position check.",
		nil, prometheus.Labels{"cause": cause})
	return series[hub.Stats]{desc, prometheus.CounterValue, value}
}

func storeCollector(read func() persistence.Stats) prometheus.Collector {
	return collector[persistence.Stats]{read, []series[persistence.Stats]{
		gauge("fechatter_send_queue_length", "Sends waiting for the next group commit.", func(s persistence.Stats) float64 { return float64(s.Queued) }),
		gauge("fechatter_send_waiting", "Sends accepted but not yet answered, including those in the queue.", func(s persistence.Stats) float64 { return float64(s.Waiting) }),
		total("fechatter_commit_lanes_total", "Chats that waited for their lock on a connection of their own.", func(s persistence.Stats) float64 { return float64(s.Lanes) }),
		total("fechatter_commit_cursor_groups_total", "Group commits of cursors.", func(s persistence.Stats) float64 { return float64(s.Cursors) }),
		total("fechatter_commit_bisections_total", "Group commits split because the database refused a send.", func(s persistence.Stats) float64 { return float64(s.Bisections) }),
		total("fechatter_commit_turns_total", "Groups that waited for the locks of their chats.", func(s persistence.Stats) float64 { return float64(s.Turns) }),
		total("fechatter_commit_skips_total", "Chats left out of a group because their lock was held.", func(s persistence.Stats) float64 { return float64(s.Skips) }),
	}}
}

func presenceCollector(read func() presence.Stats) prometheus.Collector {
	return collector[presence.Stats]{read, []series[presence.Stats]{
		gauge("fechatter_presence_people", "People connected to this node.", func(s presence.Stats) float64 { return float64(s.People) }),
		gauge("fechatter_presence_devices", "Connections of these people.", func(s presence.Stats) float64 { return float64(s.Devices) }),
		gauge("fechatter_presence_watched", "People watched by somebody on this node.", func(s presence.Stats) float64 { return float64(s.Watched) }),
		gauge("fechatter_presence_available", "Whether the presence leases are available (1) or not (0).", func(s presence.Stats) float64 { return oneIf(!s.Unavailable) }),
	}}
}

func doorCollector(read func() door.Stats) prometheus.Collector {
	return collector[door.Stats]{read, []series[door.Stats]{
		gauge("fechatter_sockets", "Open sockets of the public listener.", func(s door.Stats) float64 { return float64(s.Sockets) }),
		gauge("fechatter_sockets_limit", "Sockets of the public listener that may be open.", func(s door.Stats) float64 { return float64(s.Places) }),
		total("fechatter_sockets_closed_total", "Sockets that only waited and were closed because places ran short.", func(s door.Stats) float64 { return float64(s.Closed) }),
		total("fechatter_sockets_refused_total", "Sockets turned away because no place was left.", func(s door.Stats) float64 { return float64(s.Refused) }),
	}}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// healthCollector exposes the last probes of the parts, as /health does.
type healthCollector struct {
	health          server.Health
	ready, up, took *prometheus.Desc
}

func newHealthCollector(h server.Health) healthCollector {
	return healthCollector{
		health: h,
		ready:  prometheus.NewDesc("fechatter_ready", "Whether this node can take traffic (1) or not (0).", nil, nil),
		up:     prometheus.NewDesc("fechatter_part_up", "Whether the last probe of a part passed (1) or not (0).", []string{"part"}, nil),
		took:   prometheus.NewDesc("fechatter_part_response_seconds", "Duration of the last probe of a part.", []string{"part"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c healthCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.ready
	ch <- c.up
	ch <- c.took
}

// Collect implements prometheus.Collector.
func (c healthCollector) Collect(ch chan<- prometheus.Metric) {
	r := c.health.Health()
	ch <- prometheus.MustNewConstMetric(c.ready, prometheus.GaugeValue, oneIf(r.Status != server.Fail))
	for _, p := range r.Parts {
		ch <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, oneIf(p.Status == server.Pass), p.Name)
		if ms, ok := p.Value.(float64); ok && p.Unit == "ms" {
			took := time.Duration(ms * float64(time.Millisecond))
			ch <- prometheus.MustNewConstMetric(c.took, prometheus.GaugeValue, took.Seconds(), p.Name)
		}
	}
}

func indexCollector(read func() indexer.Stats, backlog func() chat.IndexBacklog) prometheus.Collector {
	type both struct {
		indexer.Stats
		chat.IndexBacklog
	}
	return collector[both]{func() both { return both{read(), backlog()} }, []series[both]{
		gauge("fechatter_index_leading", "Whether this node keeps the search index.", func(s both) float64 { return oneIf(s.Leading) }),
		gauge("fechatter_index_outbox_length", "Changes waiting to be indexed; of a large backlog only the oldest are counted.", func(s both) float64 { return float64(s.Waiting) }),
		gauge("fechatter_index_outbox_refused", "Changes that the search engine refuses.", func(s both) float64 { return float64(s.IndexBacklog.Refused) }),
		gauge("fechatter_index_lag_seconds", "How long the oldest change has been waiting to be indexed.", func(s both) float64 { return s.Lag.Seconds() }),
		total("fechatter_index_batches_total", "Batches indexed by this node.", func(s both) float64 { return float64(s.Batches) }),
		total("fechatter_index_changes_total", "Changes indexed by this node.", func(s both) float64 { return float64(s.Documents) }),
		total("fechatter_index_refused_total", "Times that the search engine refused a message.", func(s both) float64 { return float64(s.Stats.Refused) }),
		total("fechatter_index_failures_total", "Times that the search engine or the database failed the indexer.", func(s both) float64 { return float64(s.Failures) }),
	}}
}

func shedCollector(tier func() int) prometheus.Collector {
	return collector[int]{tier, []series[int]{
		gauge("fechatter_shedding_tier", "What this node drops under load: 0 nothing, 1 typing, 2 presence as well, 3 cursors of others as well.",
			func(tier int) float64 { return float64(tier) }),
	}}
}
