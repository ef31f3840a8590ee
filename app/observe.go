package app

import (
	"context"
	"time"

	"fechatter/hub"
	"fechatter/persistence"
	"fechatter/server"
	"fechatter/tracing"

	"github.com/prometheus/client_golang/prometheus"
)

// openTracer is nil when nothing is to be followed.
func (n *Node) openTracer(ctx context.Context, id, version string) (err error) {
	c := n.config
	if c.Tracing == "" || c.TraceRatio == 0 {
		return nil
	}
	n.tracer, err = tracing.New(ctx, tracing.Config{URL: c.Tracing, Ratio: c.TraceRatio, Node: id, Version: version}, n.log.With("part", "tracing"))
	return err
}

// sendTracer is what the server follows sends with: no interface around a nil.
func (n *Node) sendTracer() server.Tracer {
	if n.tracer == nil {
		return nil
	}
	return n.tracer
}

// observedHub is the hub's settings, with what it reports of its work.
func (n *Node) observedHub() hub.Config {
	cfg := hubConfig(n.config)
	cfg.FannedOut = n.metrics.fannedOut
	cfg.Reached = n.book.Delivered
	if n.tracer != nil {
		cfg.Delivered = n.delivered
	}
	return cfg
}

// committed is told of each group commit.
func (n *Node) committed(c persistence.Commit) {
	n.metrics.committed(c)
	for _, trace := range c.Traces {
		n.tracer.Add(trace, "commit", c.Began, c.Began.Add(c.Took), tracing.Attr{Key: "sends", Count: int64(c.Sends)})
	}
}

// delivered is told of each delivery that is followed.
func (n *Node) delivered(d hub.Delivery) {
	now := time.Now()
	n.followed.remember(place{d.Stream, d.Seq}, d.Trace)
	n.tracer.Add(d.Trace, "deliver", now.Add(-d.Took), now, tracing.Attr{Key: "chat_id", Text: d.Stream},
		tracing.Attr{Key: "seq", Count: d.Seq}, tracing.Attr{Key: "connections", Count: int64(d.Connections)})
}

// collectors are what /metrics reads from the parts.
func (n *Node) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		busCollector(n.parts.bus.Stats), hubCollector(n.hub.Stats), storeCollector(n.parts.store.Stats),
		presenceCollector(n.presence.Stats), newHealthCollector(n.health),
		indexCollector(n.indexer.Stats, n.health.search.backlog), shedCollector(n.server.Shedding),
	}
}
