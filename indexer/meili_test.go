package indexer_test

import (
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"testing"

	"fechatter/indexer"
	"fechatter/indexer/indextest"
)

func TestMeiliReal(t *testing.T) {
	url := os.Getenv("MEILI_URL")
	if url == "" {
		t.Skip("no MEILI_URL")
	}
	indextest.Run(t, func(t testing.TB) indexer.Index {
		m, err := indexer.OpenMeili(indexer.MeiliConfig{URL: url, APIKey: os.Getenv("MEILI_MASTER_KEY"), IndexName: "test_" + strings.ToLower(rand.Text()), RequestTimeout: 30e9}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return m
	})
}
