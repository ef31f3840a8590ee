package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/server"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	searchPart = "search"
	// lagLimit is how far the index may be behind before health warns.
	lagLimit = 10 * time.Second
)

// searchProbe looks at the search engine and at what waits for it.
type searchProbe struct {
	engine string // what the engine is called in the report
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

// backlog is what waited at the last look.
func (p *searchProbe) backlog() chat.IndexBacklog {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// lookAtSearch is a probe of its own: one that hangs keeps nothing else waiting.
// Search is soft: without it people still chat.
func (h *health) lookAtSearch(ctx context.Context) {
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

func indexCollector(read func() indexer.Stats, backlog func() chat.IndexBacklog) prometheus.Collector {
	type both struct {
		indexer.Stats
		chat.IndexBacklog
	}
	return collector[both]{func() both { return both{read(), backlog()} }, []series[both]{
		gauge("fechatter_index_leading", "Whether this node keeps the search index.", func(s both) float64 { return oneIf(s.Leading) }),
		gauge("fechatter_index_outbox_length", "Changes that wait to be indexed, of a large backlog the oldest.", func(s both) float64 { return float64(s.Waiting) }),
		gauge("fechatter_index_outbox_refused", "Changes that the search engine will not take.", func(s both) float64 { return float64(s.IndexBacklog.Refused) }),
		gauge("fechatter_index_lag_seconds", "For how long the oldest change has been waiting to be indexed.", func(s both) float64 { return s.Lag.Seconds() }),
		total("fechatter_index_batches_total", "Batches indexed by this node.", func(s both) float64 { return float64(s.Batches) }),
		total("fechatter_index_changes_total", "Changes indexed by this node.", func(s both) float64 { return float64(s.Documents) }),
		total("fechatter_index_refused_total", "Times that the search engine refused a message.", func(s both) float64 { return float64(s.Stats.Refused) }),
		total("fechatter_index_failures_total", "Times that the search engine or the database failed the indexer.", func(s both) float64 { return float64(s.Failures) }),
	}}
}
