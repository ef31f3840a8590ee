package indexer_test

import (
	"log/slog"
	"testing"

	"fechatter/indexer"
	"fechatter/indexer/indextest"
	"fechatter/indexer/meilitest"
)

func TestMeiliFake(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t testing.TB) indexer.Index {
		return openMeili(t, indexer.MeiliConfig{URL: meilitest.Start(t).URL})
	})
}

func TestMeiliServer(t *testing.T) {
	server := realMeili(t)
	indextest.Run(t, func(t testing.TB) indexer.Index {
		return openMeili(t, server.own())
	})
}

func openMeili(t testing.TB, cfg indexer.MeiliConfig) *indexer.Meili {
	m, err := indexer.OpenMeili(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
