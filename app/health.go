package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fechatter/server"
)

const (
	// healthEvery is how often the parts are looked at.
	healthEvery = time.Second
	// probeLimit bounds every single probe.
	probeLimit = 500 * time.Millisecond
	// toleratedFailure is how long a hard part may fail before the node says
	// so: one lost probe is no reason to move all its clients.
	toleratedFailure = 2 * time.Second
	// tooOld is when a last look says nothing any more: the probe hangs.
	tooOld = 4 * time.Second
)

// canaryStore is where the canary lives: one row for each node.
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

// pinger gives a sign of life.
type pinger interface {
	Ping(ctx context.Context) error
}

// health looks at the parts once a second and remembers what it saw. Run does
// the looking; Health answers from memory and never waits for a probe.
type health struct {
	node     string
	database string // what the database is called in the report
	store    canaryStore
	bus      echoer
	disk     func() (diskSpace, error) // nil: nothing is kept on this machine
	redis    pinger                    // nil: presence is kept in this process
	search   *searchProbe              // nil: nothing is indexed
	log      *slog.Logger

	mu       sync.Mutex
	draining bool
	seen     map[string]*sighting
}

// sighting is what was last seen of one part.
type sighting struct {
	part   server.HealthPart
	hard   bool      // fails the node
	lastOK time.Time // zero: never
	told   bool      // its failure is in the log
}

func newHealth(node, database string, store canaryStore, bus echoer, disk func() (diskSpace, error), log *slog.Logger) *health {
	return &health{node: node, database: database, store: store, bus: bus, disk: disk, log: log, seen: map[string]*sighting{}}
}

// Run looks at the parts until ctx ends. A look takes at most three probes'
// bounds, which is within the two seconds that a canary has.
func (h *health) Run(ctx context.Context) error {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for {
		h.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Drain makes the node unready for good: its balancer shall look away.
func (h *health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

func (h *health) look(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	if h.redis != nil {
		beside.Go(func() { h.lookAtRedis(ctx) })
	}
	if h.search != nil {
		beside.Go(func() { h.lookAtSearch(ctx) })
	}
	began := time.Now()
	n, err := h.write(ctx)
	arrived := h.echo(ctx, n)
	h.canary(ctx, began, n, err, arrived)
	h.lookAtDisk()
}

func (h *health) write(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	n, err := h.store.WriteCanary(ctx, h.node)
	h.note(server.HealthPart{Name: h.database, Metric: "responseTime", Type: "datastore", Value: millis(began), Unit: "ms"}, true, err)
	return n, err
}

// echo reports whether the bus brought the canary back. A lost bus is a warning
// only: events then travel by the position check, and if every node called
// itself unready there would be none left.
func (h *health) echo(ctx context.Context, n int64) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.bus.Echo(ctx, fmt.Appendf(nil, "%s %d %d", h.node, n, began.UnixNano()))
	h.note(server.HealthPart{Name: "nats", Metric: "responseTime", Type: "component", Value: millis(began), Unit: "ms"}, false, err)
	return err == nil
}

// canary is the whole way of an event: committed, then received by the bus, or
// found in the database as a repair would.
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
		return errors.New("the canary that was written is not to be read")
	}
	return nil
}

// note keeps what was seen, and logs it when it is news.
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
	// What fails at the first look may still be starting.
	now := &sighting{part: p, hard: hard, told: err != nil && last != nil}
	if err == nil {
		now.lastOK = p.Time
	} else if last != nil {
		now.lastOK = last.lastOK
	}
	h.seen[p.Name] = now
	h.mu.Unlock()
	switch was := last != nil && last.told; {
	case now.told && !was:
		h.log.Warn("health: a part fails", "part", p.Name, "error", err)
	case was && !now.told:
		h.log.Info("health: a part is well again", "part", p.Name)
	}
}

// Health is the node as last seen.
func (h *health) Health() server.HealthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := server.HealthReport{Status: server.Pass}
	now := time.Now()
	for _, name := range []string{h.database, "nats", "redis", "bleve", "meilisearch", searchPart, "canary", "disk"} {
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

// now is the part as it stands: a hard part that failed just now only warns, and
// one that was not looked at for long is as bad as one that fails.
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

// millis is the time since began, to the microsecond.
func millis(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}
