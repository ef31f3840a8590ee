package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fechatter/hub"
	"fechatter/persistence"
	"fechatter/security"
	"fechatter/server"
	"fechatter/tracing"
)

// openTracer leaves the tracer nil when nothing is to be traced.
func (n *Node) openTracer(ctx context.Context, id, version string) (err error) {
	c := n.config
	if c.Tracing == "" || c.TraceRatio == 0 {
		return nil
	}
	n.tracer, err = tracing.New(ctx, tracing.Config{URL: c.Tracing, Ratio: c.TraceRatio, Node: id, Version: version}, n.log.With("part", "tracing"))
	return err
}

// sendTracer returns the server's tracer, and nil rather than an interface around nil.
func (n *Node) sendTracer() server.Tracer {
	if n.tracer == nil {
		return nil
	}
	return n.tracer
}

// observedHub returns the hub's settings, with the callbacks of this file.
func (n *Node) observedHub() hub.Config {
	cfg := hubConfig(n.config)
	cfg.FannedOut = n.metrics.fannedOut
	cfg.Reached, cfg.Check, cfg.Exposed = n.book.Delivered, checkData, n.exposed
	if n.tracer != nil {
		cfg.Delivered = n.delivered
	}
	return cfg
}

// exposed handles an event that was delivered and never committed: somebody has the key of the bus.
func (n *Node) exposed(stream string, seq int64) {
	n.security.Note(security.Entry{Event: security.BusRefused, Detail: fmt.Sprintf("event false on %s: %d was delivered, its receivers reload", stream, seq)})
}

// committed handles each group commit.
func (n *Node) committed(c persistence.Commit) {
	n.metrics.committed(c)
	for _, trace := range c.Traces {
		n.tracer.Add(trace, "commit", c.Began, c.Began.Add(c.Took), tracing.Attr{Key: "sends", Count: int64(c.Sends)})
	}
}

// delivered handles each traced delivery.
func (n *Node) delivered(d hub.Delivery) {
	now := time.Now()
	n.followed.remember(place{d.Stream, d.Seq}, d.Trace)
	n.tracer.Add(d.Trace, "deliver", now.Add(-d.Took), now, tracing.Attr{Key: "chat_id", Text: d.Stream},
		tracing.Attr{Key: "seq", Count: d.Seq}, tracing.Attr{Key: "connections", Count: int64(d.Connections)})
}

// collectors returns what /metrics reads from the parts.
func (n *Node) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		busCollector(n.parts.bus.Stats), newRejectionCollector(n.parts.bus.Stats), hubCollector(n.hub.Stats), storeCollector(n.parts.store.Stats),
		presenceCollector(n.presence.Stats), doorCollector(n.door.Stats), newHealthCollector(n.health),
		indexCollector(n.indexer.Stats, n.health.search.backlog), shedCollector(n.server.Shedding), newLimitCollector(n.server.LimitStats), newJobCollector(n.jobs.Stats),
	}
}

// newLog creates the node's log from validated settings, which samples repeated warnings
// and errors. It may be used concurrently.
func newLog(c Config, w io.Writer) *slog.Logger {
	var level slog.LevelVar
	_ = level.UnmarshalText([]byte(c.LogLevel))
	opts := &slog.HandlerOptions{Level: &level}
	if c.LogFormat == "json" {
		return slog.New(newSampler(slog.NewJSONHandler(printed{w, escapeJSON}, opts)))
	}
	return slog.New(newSampler(slog.NewTextHandler(printed{w, escapeText}, opts)))
}

// queueBytesLimit is how much may wait for all slow sockets together before it counts
// as much as a full queue of sends.
const queueBytesLimit = 512 << 20

// pressure is how close this node is to refusing sends, which begins at 1: the fill of
// the queue of sends, including those in progress, or of the memory for slow sockets.
func (n *Node) pressure() float64 {
	sends := float64(n.parts.store.Stats().Waiting) / persistence.DefaultQueueLength
	return max(sends, float64(n.hub.Stats().QueuedBytes)/queueBytesLimit)
}
