package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"fechatter/server"
)

// limitCollector exposes what the limits of this node have refused and counted.
type limitCollector struct {
	read    func() server.LimitStats
	refused *prometheus.Desc
	rest    collector[server.LimitStats]
}

func newLimitCollector(read func() server.LimitStats) limitCollector {
	return limitCollector{
		read: read,
		refused: prometheus.NewDesc("fechatter_limited_total",
			"Requests, commands and acts refused for a limit, by limit.", []string{"limit"}, nil),
		rest: collector[server.LimitStats]{read, []series[server.LimitStats]{
			total("fechatter_stored_bytes_total", "Bytes that users have stored through this node, as their quotas count them.", func(s server.LimitStats) float64 { return float64(s.Bytes) }),
			total("fechatter_caused_deliveries_total", "Deliveries that users have caused through this node, on all nodes, as their quotas count them.", func(s server.LimitStats) float64 { return float64(s.Deliveries) }),
			gauge("fechatter_passwords_waiting", "Log-ins and sign-ups that wait for their turn to hash a password.", func(s server.LimitStats) float64 { return float64(s.HashesWaiting) }),
		}},
	}
}

// Describe implements prometheus.Collector.
func (c limitCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.refused
	c.rest.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c limitCollector) Collect(ch chan<- prometheus.Metric) {
	for limit, n := range c.read().Refused {
		ch <- prometheus.MustNewConstMetric(c.refused, prometheus.CounterValue, float64(n), limit)
	}
	c.rest.Collect(ch)
}
