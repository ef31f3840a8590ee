package indexer_test

import (
	"log/slog"
	"testing"

	"fechatter/indexer"
	"fechatter/indexer/indextest"
)

func openBleve(t testing.TB, dir string) *indexer.Bleve {
	t.Helper()
	b, err := indexer.OpenBleve(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBleve(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t testing.TB) indexer.Index { return openBleve(t, t.TempDir()) })
}
