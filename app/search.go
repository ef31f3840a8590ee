package app

import (
	"log/slog"
	"strings"
	"time"

	"fechatter/bus"
	"fechatter/indexer"
)

func searchFolder(setting string) string { return strings.TrimPrefix(setting, "bleve:") }

// openEngine opens the engine that the setting names. Of several nodes with bleve:,
// one at a time has the index open, and the others ask it over the bus.
func openEngine(c Config, b *bus.Bus, log *slog.Logger) (*indexer.Engine, error) {
	if scheme(c.Search) == "bleve" {
		open := func() (indexer.Index, error) { return indexer.OpenBleve(searchFolder(c.Search), log) }
		if scheme(c.Database) == "sqlite" {
			return indexer.Private(open, nil), nil
		}
		return indexer.Private(open, searchPeers{b}), nil
	}
	index, err := indexer.OpenMeili(indexer.MeiliConfig{
		URL: c.Search, APIKey: c.Meilisearch.APIKey, IndexName: c.Meilisearch.Index,
		ConnectionTimeout: milliseconds(c.Meilisearch.ConnectionTimeoutMS), RequestTimeout: milliseconds(c.Meilisearch.RequestTimeoutMS),
	}, log)
	if err != nil {
		return nil, err
	}
	return indexer.Shared(index), nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func indexerConfig(c Config, node string) indexer.Config {
	if scheme(c.Database) == "sqlite" {
		node = "embedded" // the folder is locked: after a crash there is no other node to wait for
	}
	return indexer.Config{Node: node, BatchSize: c.AsyncIndexing.BatchSize, BatchTimeout: milliseconds(c.AsyncIndexing.BatchTimeoutMS)}
}
