package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"fechatter/chat"
	"fechatter/server"
)

// diskSpace is what an unprivileged process may still write, in bytes.
type diskSpace struct{ free, total uint64 }

// errDiskLow warns before writes fail; when they do, the canary fails.
var errDiskLow = errors.New("disk nearly full")

// low reports whether less than a twentieth and less than 2 GiB are free.
func (d diskSpace) low() bool { return d.free < d.total/20 && d.free < 2<<30 }

func (d diskSpace) tighter(than diskSpace) bool {
	if d.low() != than.low() {
		return d.low()
	}
	return d.free < than.free
}

// leastSpace returns the space of the file system that is nearest to its end, of those of
// the places.
func leastSpace(places []string) (least diskSpace, err error) {
	for i, place := range places {
		d, err := spaceOf(place)
		if err != nil {
			return diskSpace{}, err
		}
		if i == 0 || d.tighter(least) {
			least = d
		}
	}
	return least, nil
}

// spaceOf returns the space of the file system of a file or folder, or of where it will be
// made.
func spaceOf(place string) (diskSpace, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(place, &s)
	if parent := filepath.Dir(place); errors.Is(err, fs.ErrNotExist) && parent != place {
		return spaceOf(parent)
	}
	if err != nil {
		return diskSpace{}, fmt.Errorf("read disk space: %w", err)
	}
	size := uint64(s.Bsize) //nolint:gosec // the size of a block is positive
	return diskSpace{free: s.Bavail * size, total: s.Blocks * size}, nil
}

func (h *health) probeDisk() {
	if h.disk == nil {
		return
	}
	space, err := h.disk()
	if err == nil && space.low() {
		err = errDiskLow
	}
	h.note(server.HealthPart{Name: "disk", Metric: "free", Type: "system", Value: space.free, Unit: "byte"}, false, err)
}

// probeCertificate warns before the certificate ends, and when it has: those who are
// connected go on, and a proxy in between may not mind.
func (h *health) probeCertificate() {
	if h.certificate == nil {
		return
	}
	e, now := h.certificate(), time.Now()
	left := 0.0
	if !e.none {
		left = e.end.Sub(now).Round(time.Second).Seconds()
	}
	h.note(server.HealthPart{Name: "certificate", Metric: "remaining", Type: "component", Value: left, Unit: "s"}, false, e.check(now))
}

const (
	searchPart = "search"
	// lagLimit is how far the index may lag before health warns.
	lagLimit = 10 * time.Second
)

// searchProbe probes the search engine and what is waiting for it.
type searchProbe struct {
	engine string // its name in the report
	index  interface {
		Probe(ctx context.Context) error
	}
	outbox interface {
		IndexBacklog(ctx context.Context) (chat.IndexBacklog, error)
	}

	mu   sync.Mutex
	seen chat.IndexBacklog
}

func engineName(c Config) string {
	if scheme(c.Search) == "bleve" {
		return "bleve"
	}
	return "meilisearch"
}

// backlog returns what was waiting at the last probe.
func (p *searchProbe) backlog() chat.IndexBacklog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// probeSearch runs beside the other probes: if it hangs, they do not. Search is soft:
// people can chat without it.
func (h *health) probeSearch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.search.index.Probe(ctx)
	if err != nil {
		err = fmt.Errorf("probe search: %w", err)
	}
	h.note(server.HealthPart{Name: h.search.engine, Metric: "responseTime", Type: "datastore", Value: millis(began), Unit: "ms"}, false, err)
	b, err := h.search.outbox.IndexBacklog(ctx)
	if err == nil {
		h.search.mu.Lock()
		h.search.seen = b
		h.search.mu.Unlock()
		err = tooFarBehind(b)
	}
	h.note(server.HealthPart{Name: searchPart, Metric: "lag", Type: "component", Value: b.Lag.Milliseconds(), Unit: "ms"}, false, err)
}

func tooFarBehind(b chat.IndexBacklog) error {
	if b.Lag > lagLimit {
		return fmt.Errorf("the search index is %s behind", b.Lag.Round(time.Second))
	}
	if b.Refused > 0 {
		return fmt.Errorf("the search engine refuses %d messages", b.Refused)
	}
	return nil
}

// probeRedis runs beside the other probes: if it hangs, they do not.
func (h *health) probeRedis(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.redis.Ping(ctx)
	if err != nil {
		err = fmt.Errorf("ping redis: %w", err)
	}
	h.note(server.HealthPart{Name: "redis", Metric: "responseTime", Type: "datastore", Value: millis(began), Unit: "ms"}, false, err)
}
