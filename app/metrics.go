package app

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics shows: what the server reports as it happens, and
// what the other parts count for themselves, read when it is asked for. It is a
// server.Observer.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	commands *prometheus.CounterVec
	sends    *prometheus.CounterVec
	ack      prometheus.Histogram
	resumes  *prometheus.CounterVec
	resets   *prometheus.CounterVec
}

// newMetrics makes a registry of its own, so that two nodes of one test do not
// meet in a global one.
func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: histograms("fechatter_http_request_seconds", "Answered HTTP requests, by route.", "route", "method", "status"),
		commands: counters("fechatter_commands_total", "Answered WebSocket commands, by op and code (ok or a problem's code).", "op", "code"),
		sends:    counters("fechatter_sends_total", "Messages sent over WebSocket or REST, by outcome.", "outcome"),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fechatter_send_ack_seconds", Help: "From a send's arrival to its durable commit, of sends that were stored.", Buckets: latencyBuckets(),
		}),
		resumes: counters("fechatter_resumes_total", "Resumes, by outcome: fresh, lossless, reset or failed.", "outcome"),
		resets:  counters("fechatter_resets_total", "Resets told to clients, by reason.", "reason"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fechatter_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.commands, m.sends, m.ack, m.resumes, m.resets, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request is part of server.Observer.
func (m *metrics) Request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

// Command is part of server.Observer.
func (m *metrics) Command(op, code string, _ time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.commands.WithLabelValues(op, code).Inc()
}

// Send is part of server.Observer.
func (m *metrics) Send(outcome string, took time.Duration) {
	m.sends.WithLabelValues(outcome).Inc()
	if outcome == "ok" {
		m.ack.Observe(took.Seconds())
	}
}

// Resume is part of server.Observer.
func (m *metrics) Resume(outcome string) { m.resumes.WithLabelValues(outcome).Inc() }

// Reset is part of server.Observer.
func (m *metrics) Reset(reason string) { m.resets.WithLabelValues(reason).Inc() }

// knownMethod keeps a client from making a series with every word it invents.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// latencyBuckets go from half a millisecond, a commit on a good disk, to 10 s,
// which nobody waits for.
func latencyBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencyBuckets()}, labels)
}
