package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fechatter/server"
)

// healthCollector shows the last looks at the parts, as /health does.
type healthCollector struct {
	health          server.Health
	ready, up, took *prometheus.Desc
}

func newHealthCollector(h server.Health) healthCollector {
	return healthCollector{
		health: h,
		ready:  prometheus.NewDesc("fechatter_ready", "Whether this node takes traffic.", nil, nil),
		up:     prometheus.NewDesc("fechatter_part_up", "Whether the last look at a part was well (1) or not (0).", []string{"part"}, nil),
		took:   prometheus.NewDesc("fechatter_part_response_seconds", "How long the last probe of a part took.", []string{"part"}, nil),
	}
}

// Describe is part of prometheus.Collector.
func (c healthCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.ready
	ch <- c.up
	ch <- c.took
}

// Collect is part of prometheus.Collector.
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
