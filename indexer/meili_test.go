package indexer_test

import (
	"cmp"
	"log/slog"
	"testing"
	"time"

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
	var without []string
	if !cutsJapanese(t, openMeili(t, server.own())) {
		t.Log("this Meilisearch was built without Japanese")
		without = append(without, "Japanese")
	}
	indextest.Run(t, func(t testing.TB) indexer.Index {
		return openMeili(t, server.own())
	}, without...)
}

// cutsJapanese reports whether the server finds a word within a Japanese sentence,
// which depends on how it was built.
func cutsJapanese(t *testing.T, m *indexer.Meili) bool {
	defer m.Close()
	must(t, m.Prepare(t.Context()))
	must(t, m.Apply(t.Context(), documents(document("a", "明日はカメラを買う"))))
	q := tea()
	q.Words = []string{"カメラ"}
	found, err := m.Search(t.Context(), q)
	must(t, err)
	return len(found.Hits) == 1
}

// openMeili opens an index whose default timeout bounds a hang and is not exceeded by
// a busy machine.
func openMeili(t testing.TB, cfg indexer.MeiliConfig) *indexer.Meili {
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, time.Minute)
	m, err := indexer.OpenMeili(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
