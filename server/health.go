package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Health answers from memory: a request never starts a probe.
type Health interface {
	Health() HealthReport
}

// HealthStatus is one of the three words of application/health+json.
type HealthStatus string

// Pass and Warn mean that the node can take traffic; Fail that it cannot.
const (
	Pass HealthStatus = "pass"
	Warn HealthStatus = "warn"
	Fail HealthStatus = "fail"
)

// HealthReport is how the node was when its parts were last checked.
type HealthReport struct {
	Status HealthStatus
	Parts  []HealthPart
}

// HealthPart is one measured part. Anybody may see it: names and numbers, no
// addresses and no error texts.
type HealthPart struct {
	Name   string // what it is, such as sqlite, postgres, nats, disk
	Metric string // what was measured, such as responseTime
	Type   string // datastore, component or system
	Value  any
	Unit   string
	Status HealthStatus
	Time   time.Time // of the measurement
}

// healthPages are the handlers of the health paths. A nil health is a node that is
// not up yet.
type healthPages struct {
	health  Health
	version string
}

func (p healthPages) report() HealthReport {
	if p.health == nil {
		return HealthReport{Status: Fail}
	}
	return p.health.Health()
}

// livez reports that the process is alive. It must not know of any dependency, or an
// orchestrator would restart nodes because a database is away.
func (p healthPages) livez(w http.ResponseWriter, _ *http.Request) {
	healthHead(w, "text/plain; charset=utf-8", http.StatusOK)
	_, _ = io.WriteString(w, "ok\n")
}

func (p healthPages) simple(w http.ResponseWriter, _ *http.Request) {
	r := p.report()
	healthHead(w, "text/plain; charset=utf-8", r.Status.code())
	_, _ = io.WriteString(w, r.Status.word())
}

func (p healthPages) readyz(w http.ResponseWriter, _ *http.Request) {
	r := p.report()
	healthHead(w, "text/plain; charset=utf-8", r.Status.code())
	_, _ = io.WriteString(w, r.Status.word()+"\n")
}

// parts is readyz of the admin listener: with ?verbose it names the parts first.
func (p healthPages) parts(w http.ResponseWriter, req *http.Request) {
	r := p.report()
	healthHead(w, "text/plain; charset=utf-8", r.Status.code())
	if req.URL.Query().Has("verbose") {
		for _, part := range r.Parts {
			fmt.Fprintf(w, "%s:%s %s\n", part.Name, part.Metric, part.Status)
		}
	}
	_, _ = io.WriteString(w, r.Status.word()+"\n")
}

// full answers in the draft format application/health+json.
func (p healthPages) full(w http.ResponseWriter, _ *http.Request) {
	r := p.report()
	doc := healthDocument{Status: r.Status, Version: p.version, Checks: map[string][]healthCheck{}}
	for _, part := range r.Parts {
		name := part.Name + ":" + part.Metric
		doc.Checks[name] = append(doc.Checks[name], healthCheck{
			ComponentType: part.Type, ObservedValue: part.Value, ObservedUnit: part.Unit,
			Status: part.Status, Time: part.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	}
	healthHead(w, "application/health+json", r.Status.code())
	_ = json.NewEncoder(w).Encode(doc)
}

type healthDocument struct {
	Status  HealthStatus             `json:"status"`
	Version string                   `json:"version"`
	Checks  map[string][]healthCheck `json:"checks"`
}

type healthCheck struct {
	ComponentType string       `json:"componentType"`
	ObservedValue any          `json:"observedValue"`
	ObservedUnit  string       `json:"observedUnit,omitempty"`
	Status        HealthStatus `json:"status"`
	Time          string       `json:"time"`
}

func (s HealthStatus) code() int {
	if s == Fail {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

func (s HealthStatus) word() string {
	if s == Fail {
		return "unhealthy"
	}
	return "ok"
}

// healthHead writes the head: a cached answer would be a wrong one.
func healthHead(w http.ResponseWriter, contentType string, code int) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
}
