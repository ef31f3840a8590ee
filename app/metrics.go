package app

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/persistence"
	"fechatter/security"
)

// metrics is what /metrics shows: what the server reports as it happens, and what the
// other parts count themselves, read on request. It is a server.Observer.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	commands *prometheus.CounterVec
	answers  *prometheus.HistogramVec
	sends    *prometheus.CounterVec
	ack      prometheus.Histogram
	resumes  *prometheus.CounterVec
	resets   *prometheus.CounterVec
	groups   prometheus.Histogram
	commits  prometheus.Histogram
	rounds   prometheus.Histogram
	events   *prometheus.CounterVec // of security
}

// newMetrics creates a registry of its own, so that two nodes in one test do not share
// a global one.
func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: histograms("fechatter_http_request_duration_seconds", "Duration of answered HTTP requests, by route.", "route", "method", "status"),
		commands: counters("fechatter_commands_total", "Answered WebSocket commands, by op and code (ok or the code of a problem).", "op", "code"),
		answers:  histograms("fechatter_command_duration_seconds", "Time from the arrival of a WebSocket command to its answer, by op.", "op"),
		sends:    counters("fechatter_sends_total", "Messages sent over WebSocket or REST, by outcome.", "outcome"),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fechatter_send_ack_seconds", Help: "Time from the arrival of a send to its durable commit, for sends that were stored.", Buckets: latencyBuckets(),
		}),
		resumes: counters("fechatter_resumes_total", "Resumes, by outcome: fresh, lossless, reset or failed.", "outcome"),
		resets:  counters("fechatter_resets_total", "Resets sent to clients, by reason.", "reason"),
		groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fechatter_commit_group_size", Help: "Sends in one group commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fechatter_commit_duration_seconds", Help: "Duration of group commits, from collecting the sends to the end of COMMIT and publishing.", Buckets: latencyBuckets(),
		}),
		rounds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fechatter_fanout_duration_seconds", Help: "Duration of the rounds of a stream's pump: writing what has gathered to every subscriber.",
			Buckets: prometheus.ExponentialBuckets(16e-6, 4, 9),
		}),
		events: counters("fechatter_security_events_total", "Events of the security log, written or only counted there, by event.", "event"),
	}
	m.beginAtZero()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fechatter_build_info", Help: "Always 1; the labels name the version.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.commands, m.sends, m.ack, m.resumes, m.resets,
		m.answers, m.groups, m.commits, m.rounds, m.events, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// beginAtZero creates the series that show whether something is wrong: one that first
// appears with a failure has no rate at that moment.
func (m *metrics) beginAtZero() {
	for _, outcome := range []string{"ok", "replayed", string(chat.Internal), string(chat.Unavailable), string(chat.UnknownOutcome), string(chat.Overloaded)} {
		m.sends.WithLabelValues(outcome)
	}
	for _, outcome := range []string{"fresh", "lossless", "reset", "failed"} {
		m.resumes.WithLabelValues(outcome)
	}
	for _, reason := range []string{hub.ReasonTooFar, hub.ReasonTrimmed, hub.ReasonEpoch, hub.ReasonAhead, hub.ReasonRejoined} {
		m.resets.WithLabelValues(reason)
	}
	for _, kind := range security.Kinds() {
		m.events.WithLabelValues(string(kind.Event))
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request implements server.Observer.
func (m *metrics) Request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

// Command implements server.Observer.
func (m *metrics) Command(op, code string, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.commands.WithLabelValues(op, code).Inc()
	m.answers.WithLabelValues(op).Observe(took.Seconds())
}

// Send implements server.Observer.
func (m *metrics) Send(outcome string, took time.Duration) {
	m.sends.WithLabelValues(outcome).Inc()
	if outcome == "ok" {
		m.ack.Observe(took.Seconds())
	}
}

// Resume implements server.Observer.
func (m *metrics) Resume(outcome string) { m.resumes.WithLabelValues(outcome).Inc() }

// Reset implements server.Observer.
func (m *metrics) Reset(reason string) { m.resets.WithLabelValues(reason).Inc() }

// secured counts a security event.
func (m *metrics) secured(e security.Event) { m.events.WithLabelValues(string(e)).Inc() }

// committed records a group commit of the store.
func (m *metrics) committed(c persistence.Commit) {
	m.groups.Observe(float64(c.Sends))
	m.commits.Observe(c.Took.Seconds())
}

// fannedOut records a round of a pump.
func (m *metrics) fannedOut(took time.Duration) { m.rounds.Observe(took.Seconds()) }

// knownMethod keeps clients from creating a series with every word they invent.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// latencyBuckets range from half a millisecond, a commit on a good disk, to 10 s, which
// nobody waits for.
func latencyBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencyBuckets()}, labels)
}
