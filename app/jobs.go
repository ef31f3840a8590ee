package app

import (
	"context"
	"fmt"
	"time"

	"fechatter/chat"
	"fechatter/jobs"
	"fechatter/server"

	"github.com/prometheus/client_golang/prometheus"
)

// callHelp returns what tells the other nodes of jobs that this one has no workers for.
func (n *Node) callHelp() func(chat.JobKind) {
	return func(kind chat.JobKind) { n.parts.bus.Announce(append([]byte{announceJobs}, kind...)) }
}

// departures takes whoever has deleted their account out of their chats.
func (n *Node) departures() jobs.Kind {
	return jobs.Kind{Name: chat.JobDeparture, Workers: 1, Claim: 5 * time.Minute, Attempts: 60, Pause: time.Second, MaxPause: time.Hour,
		Do: func(ctx context.Context, j chat.ClaimedJob) error { return n.chat.Depart(ctx, j.Key) }}
}

// lateJob is how long a job may wait for a worker before health warns.
const lateJob = 5 * time.Minute

// probeJobs warns of work that nobody gets round to. Dead letters are numbers here: anybody
// who mistypes an address causes one. It asks nobody: the jobs are counted now and then.
func (h *health) probeJobs() {
	if h.jobs == nil {
		return
	}
	var err error
	dead := 0
	for _, s := range h.jobs() {
		dead += s.Dead
		if s.Late > lateJob {
			err = fmt.Errorf("jobs of kind %s are %s late", s.Kind, s.Late.Round(time.Second))
		}
	}
	h.note(server.HealthPart{Name: "jobs", Metric: "dead", Type: "component", Value: dead, Unit: "jobs"}, false, err)
}

// jobCollector shows the jobs of all nodes, and what became of those of this one.
type jobCollector struct {
	read                                func() []jobs.Stats
	ended, waiting, claimed, dead, late *prometheus.Desc
}

func newJobCollector(read func() []jobs.Stats) jobCollector {
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("fechatter_jobs"+name, help, append([]string{"kind"}, more...), nil)
	}
	return jobCollector{
		read:    read,
		ended:   desc("_total", "Jobs that ended on this node, by outcome: done, retried, dead, released at a stop, or lost because the claim ran out.", "outcome"),
		waiting: desc("_waiting", "Jobs that wait for their time or for a worker, on all nodes."),
		claimed: desc("_at_work", "Jobs that a node is at, on all nodes."),
		dead:    desc("_dead", "Jobs that failed for good and wait for an administrator, on all nodes."),
		late:    desc("_late_seconds", "How long the job that waits longest has been due, on all nodes."),
	}
}

// Describe implements prometheus.Collector.
func (c jobCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.ended, c.waiting, c.claimed, c.dead, c.late} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c jobCollector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.read() {
		kind := string(s.Kind)
		for outcome, n := range s.Outcomes {
			ch <- prometheus.MustNewConstMetric(c.ended, prometheus.CounterValue, float64(n), kind, outcome)
		}
		ch <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(s.Waiting), kind)
		ch <- prometheus.MustNewConstMetric(c.claimed, prometheus.GaugeValue, float64(s.Claimed), kind)
		ch <- prometheus.MustNewConstMetric(c.dead, prometheus.GaugeValue, float64(s.Dead), kind)
		ch <- prometheus.MustNewConstMetric(c.late, prometheus.GaugeValue, s.Late.Seconds(), kind)
	}
}
