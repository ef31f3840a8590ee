package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fechatter/jobs"
	"fechatter/server"
)

const (
	// healthEvery is how often the parts are probed.
	healthEvery = time.Second
	// probeLimit bounds every single probe.
	probeLimit = 500 * time.Millisecond
	// toleratedFailure is how long a hard part may fail before the node does: one lost
	// probe is no reason to move all its clients.
	toleratedFailure = 2 * time.Second
	// tooOld is the age at which a result no longer counts: the probe hangs.
	tooOld = 4 * time.Second
)

// canaryStore keeps the canary: one row per node.
type canaryStore interface {
	// WriteCanary raises the node's number by one, durably, and returns it.
	WriteCanary(ctx context.Context, node string) (int64, error)
	// ReadCanary reads it as any reader of the database sees it.
	ReadCanary(ctx context.Context, node string) (int64, error)
}

// echoer is the bus as another node sees it.
type echoer interface {
	Echo(ctx context.Context, token []byte) error
}

// pinger reports whether it is alive.
type pinger interface {
	Ping(ctx context.Context) error
}

// health probes the parts once a second and remembers the results. Run does the
// probing; Health answers from memory and never waits for a probe.
type health struct {
	node     string
	database string // its name in the report
	store    canaryStore
	bus      echoer
	disk     func() (diskSpace, error)   // nil: no data on this machine
	redis    pinger                      // nil: presence is in this process
	search   *searchProbe                // nil: nothing is indexed
	jobs     func() []jobs.Stats         // nil: nothing works behind the scenes
	files    func(context.Context) error // nil: there are none
	// certificate is that of the public listener; nil: it has none, being plain HTTP.
	certificate func() expiry
	log         *slog.Logger

	mu       sync.Mutex
	draining bool
	seen     map[string]*sighting
}

// sighting is the last result for one part.
type sighting struct {
	part   server.HealthPart
	hard   bool      // fails the node
	lastOK time.Time // zero: never
	logged bool      // its failure is in the log
}

func newHealth(node, database string, store canaryStore, bus echoer, disk func() (diskSpace, error), log *slog.Logger) *health {
	return &health{node: node, database: database, store: store, bus: bus, disk: disk, log: log, seen: map[string]*sighting{}}
}

// Run probes the parts until ctx ends. A round takes at most three times the limit of
// a probe, which is within the two seconds that a canary has.
func (h *health) Run(ctx context.Context) error {
	return every(ctx, healthEvery, func() { h.probe(ctx) })
}

// Drain makes the node unready for good, so that the balancer takes it out.
func (h *health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

func (h *health) probe(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	if h.redis != nil {
		beside.Go(func() { h.probeRedis(ctx) })
	}
	if h.search != nil {
		beside.Go(func() { h.probeSearch(ctx) })
	}
	began := time.Now()
	n, err := h.write(ctx)
	arrived := h.echo(ctx, n)
	h.canary(ctx, began, n, err, arrived)
	h.probeDisk()
	h.probeJobs()
	h.probeFiles(ctx)
	h.probeCertificate()
}

func (h *health) write(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	n, err := h.store.WriteCanary(ctx, h.node)
	h.note(server.HealthPart{Name: h.database, Metric: "responseTime", Type: "datastore", Value: millis(began), Unit: "ms"}, true, err)
	return n, err
}

// echo reports whether the bus brought the canary back. A lost bus is only a warning:
// events then travel by position checks, and if every node turned unready there would
// be none left.
func (h *health) echo(ctx context.Context, n int64) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.bus.Echo(ctx, fmt.Appendf(nil, "%s %d %d", h.node, n, began.UnixNano()))
	h.note(server.HealthPart{Name: "nats", Metric: "responseTime", Type: "component", Value: millis(began), Unit: "ms"}, false, err)
	return err == nil
}

// canary covers the whole way of an event: committed, and then received by the bus or
// found in the database as a repair would find it.
func (h *health) canary(ctx context.Context, began time.Time, n int64, err error, arrived bool) {
	if err == nil && !arrived {
		err = h.readBack(ctx, n)
	}
	h.note(server.HealthPart{Name: "canary", Metric: "roundTrip", Type: "component", Value: millis(began), Unit: "ms"}, true, err)
}

func (h *health) readBack(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	seen, err := h.store.ReadCanary(ctx, h.node)
	if err != nil {
		return fmt.Errorf("read canary: %w", err)
	}
	if seen < n {
		return errors.New("the canary was written but cannot be read")
	}
	return nil
}

// note remembers a result, and logs it when it is news.
func (h *health) note(p server.HealthPart, hard bool, err error) {
	p.Time, p.Status = time.Now(), server.Pass
	if err != nil {
		p.Status = server.Warn
		if hard {
			p.Status = server.Fail
		}
	}
	h.mu.Lock()
	last := h.seen[p.Name]
	// A part that fails the first probe may still be starting.
	now := &sighting{part: p, hard: hard, logged: err != nil && last != nil}
	if err == nil {
		now.lastOK = p.Time
	} else if last != nil {
		now.lastOK = last.lastOK
	}
	h.seen[p.Name] = now
	h.mu.Unlock()
	switch was := last != nil && last.logged; {
	case now.logged && !was:
		h.log.Warn("health: a part is failing", "part", p.Name, "error", err)
	case was && !now.logged:
		h.log.Info("health: a part has recovered", "part", p.Name)
	}
}

// Health returns the node's health as last probed.
func (h *health) Health() server.HealthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := server.HealthReport{Status: server.Pass}
	now := time.Now()
	for _, name := range []string{h.database, "nats", "redis", "bleve", "meilisearch", searchPart, "canary", "disk", "jobs", "certificate"} {
		if s := h.seen[name]; s != nil {
			p := s.now(now)
			r.Parts = append(r.Parts, p)
			r.Status = worse(r.Status, p.Status)
		}
	}
	if h.seen["canary"] == nil {
		r.Status = server.Fail // nothing is known yet
	}
	if h.draining {
		r.Status = server.Fail
		r.Parts = append(r.Parts, server.HealthPart{Name: "node", Metric: "state", Type: "system", Value: "draining", Status: server.Fail, Time: now})
	}
	return r
}

// now returns the part as it stands: a hard part that has just begun to fail only
// warns, and a part that was not probed for long counts as failing.
func (s *sighting) now(now time.Time) server.HealthPart {
	p := s.part
	switch {
	case s.hard && p.Status == server.Fail && !s.lastOK.IsZero() && now.Sub(s.lastOK) < toleratedFailure:
		p.Status = server.Warn
	case s.hard && now.Sub(p.Time) > tooOld:
		p.Status = server.Fail
	case now.Sub(p.Time) > tooOld:
		p.Status = server.Warn
	}
	return p
}

func worse(a, b server.HealthStatus) server.HealthStatus {
	if a == server.Fail || b == server.Fail {
		return server.Fail
	}
	if a == server.Warn || b == server.Warn {
		return server.Warn
	}
	return server.Pass
}

// millis returns the milliseconds since began, to the microsecond.
func millis(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}
