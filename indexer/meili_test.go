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
	var without []string
	if !cutsJapanese(t, openMeili(t, server.own())) {
		t.Log("this Meilisearch was built without Japanese")
		without = append(without, "Japanese")
	}
	indextest.Run(t, func(t testing.TB) indexer.Index {
		return openMeili(t, server.own())
	}, without...)
}

// cutsJapanese says whether the server finds a word within a Japanese sentence,
// which is a matter of how it was built.
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

func openMeili(t testing.TB, cfg indexer.MeiliConfig) *indexer.Meili {
	m, err := indexer.OpenMeili(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
