package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meilisearch/meilisearch-go"
)

// MeiliConfig holds the address and time limits of a Meilisearch server.
type MeiliConfig struct {
	URL string // http://host:7700
	// APIKey is "" if the server has none. It must allow search, documents.*,
	// indexes.*, settings.get, settings.update, tasks.get and stats.get on the
	// indexes IndexName*.
	APIKey string
	// IndexName defaults to "messages". Indexes named IndexName_rebuild_… belong to
	// it too.
	IndexName         string
	ConnectionTimeout time.Duration // of connecting, including TLS; 0: 2 s
	RequestTimeout    time.Duration // of one request, including connecting; 0: 3 s
}

// Meili is an Index on a Meilisearch server of at least version 1.18: older ones do
// not understand the library's request for a swap. Apply waits at most applyTimeout
// for the server's queue, Prepare and Rebuild at most settingsTimeout; everything
// else is one request. An error that is not a *RefusedError is a chat.Error with the
// code Unavailable. It holds connections until Close.
type Meili struct {
	client    meilisearch.ServiceManager
	transport *http.Transport
	name      string
	log       *slog.Logger
}

// OpenMeili does not connect yet: the server may be down.
func OpenMeili(cfg MeiliConfig, log *slog.Logger) (*Meili, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		// The address is not quoted, because it may contain a password.
		return nil, errors.New("read address of Meilisearch: it is not of the form http://host:7700")
	}
	connect := cmp.Or(cfg.ConnectionTimeout, 2*time.Second)
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connect}).DialContext,
		TLSHandshakeTimeout: connect,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
	}
	client := &http.Client{Transport: transport, Timeout: cmp.Or(cfg.RequestTimeout, 3*time.Second)}
	return &Meili{
		client: meilisearch.New(strings.TrimRight(cfg.URL, "/"), meilisearch.WithAPIKey(cfg.APIKey),
			meilisearch.WithCustomClient(client), meilisearch.DisableRetries()),
		transport: transport,
		name:      cmp.Or(cfg.IndexName, "messages"),
		log:       log,
	}, nil
}

// Close closes the idle connections.
func (m *Meili) Close() error {
	m.transport.CloseIdleConnections()
	return nil
}

// Ping checks that the server answers. It does not look at the index.
func (m *Meili) Ping(ctx context.Context) error {
	if _, err := m.client.Health(ctx); err != nil {
		return meiliError("ask Meilisearch for its health", err)
	}
	return nil
}

// Count returns the number of documents.
func (m *Meili) Count(ctx context.Context) (int64, error) {
	stats, err := m.index(m.name).GetStats(ctx, nil)
	if err != nil {
		return 0, meiliError("count documents", err)
	}
	return stats.NumberOfDocuments, nil
}

// Versions returns the versions of those of the documents that exist.
func (m *Meili) Versions(ctx context.Context, ids []string) (map[string]int64, error) {
	// A single id that cannot be a key would fail the whole request.
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !meiliID(id) })
	if len(ids) == 0 {
		return map[string]int64{}, nil
	}
	found, err := m.documents(ctx, &meilisearch.DocumentsQuery{
		Ids: ids, Fields: []string{"id", "version"}, Limit: int64(len(ids)),
	})
	if err != nil {
		return nil, meiliError("read versions", err)
	}
	versions := make(map[string]int64, len(found.Results))
	for _, hit := range found.Results {
		var d Document
		if err := hit.DecodeInto(&d); err != nil {
			return nil, meiliError("read version", err)
		}
		versions[d.ID] = d.Version
	}
	return versions, nil
}

// Page lists the ids from the position after. Deletions between pages shift the
// documents behind them, so that some ids may be skipped.
func (m *Meili) Page(ctx context.Context, after string, limit int) ([]string, string, error) {
	offset, err := strconv.ParseInt(cmp.Or(after, "0"), 10, 64)
	if err != nil {
		return nil, "", fmt.Errorf("read position of page: %w", err)
	}
	found, err := m.documents(ctx, &meilisearch.DocumentsQuery{
		Offset: offset, Limit: int64(limit), Fields: []string{"id"},
	})
	if err != nil {
		return nil, "", meiliError("list documents", err)
	}
	var ids []string
	for _, hit := range found.Results {
		var d Document
		if err := hit.DecodeInto(&d); err != nil {
			return nil, "", meiliError("read id", err)
		}
		ids = append(ids, d.ID)
	}
	next := offset + int64(len(ids))
	if len(ids) == 0 || next >= found.Total {
		return ids, "", nil
	}
	return ids, strconv.FormatInt(next, 10), nil
}

// index returns a new handle for each call: the library's handles are not safe for
// concurrent use.
func (m *Meili) index(uid string) meilisearch.IndexManager { return m.client.Index(uid) }

func (m *Meili) documents(ctx context.Context, q *meilisearch.DocumentsQuery) (meilisearch.DocumentsResult, error) {
	var found meilisearch.DocumentsResult
	err := m.index(m.name).GetDocuments(ctx, q, &found)
	return found, err
}
