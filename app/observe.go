package app

import (
	"fechatter/hub"

	"github.com/prometheus/client_golang/prometheus"
)

// observedHub is the hub's settings, with what it reports of its work.
func (n *Node) observedHub() hub.Config {
	cfg := hubConfig(n.config)
	cfg.FannedOut = n.metrics.fannedOut
	return cfg
}

// collectors are what /metrics reads from the parts.
func (n *Node) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		busCollector(n.parts.bus.Stats), hubCollector(n.hub.Stats), storeCollector(n.parts.store.Stats),
		presenceCollector(n.presence.Stats), newHealthCollector(n.health),
		indexCollector(n.indexer.Stats, n.health.search.backlog),
	}
}
