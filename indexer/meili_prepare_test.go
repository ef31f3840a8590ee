package indexer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/indexer/meilitest"
)

const patchSettings = "PATCH /indexes/{uid}/settings"

func TestMeiliPrepareIsCheap(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	before := server.Counts()
	if err := m.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := server.Counts()
	if n := after.Requests - before.Requests; n != 2 || after.ByRoute[patchSettings] != 1 {
		t.Errorf("%d requests, %+v", n, after)
	}
}

func TestMeiliPrepareRepairsSettings(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	must(t, m.Apply(t.Context(), documents(document("a", "tea"))))
	for _, settings := range []map[string]any{
		{"filterableAttributes": []any{"chat_id"}}, {"rankingRules": []any{"words"}}, {"pagination": map[string]any{"maxTotalHits": 10}},
		{"typoTolerance": map[string]any{"enabled": false}}, {"sortableAttributes": []any{}}, {"searchableAttributes": []any{"*"}},
	} {
		server.ChangeSettings("messages", settings)
		before := server.Counts().ByRoute[patchSettings]
		must(t, m.Prepare(t.Context()))
		if n := server.Counts().ByRoute[patchSettings]; n != before+1 {
			t.Errorf("%s: repaired %d times", settings, n-before)
		}
		if found, err := m.Search(t.Context(), tea()); err != nil || len(found.Hits) != 1 {
			t.Errorf("%s: found %v, %v", settings, found, err)
		}
	}
}

// A cancelled Prepare leaves its change in the queue; the next one waits for that
// change instead of requesting another.
func TestMeiliPrepareIsRepeated(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	server.ChangeSettings("messages", map[string]any{"rankingRules": []any{"words"}})
	release := server.HoldTasks()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- m.Prepare(ctx) }()
	server.Await(func(c meilitest.Counts) bool { return c.ByRoute[patchSettings] == 2 })
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("prepare: %v", err)
	}
	second := make(chan error, 1)
	asked := server.Counts().ByRoute["GET /tasks"]
	go func() { second <- m.Prepare(t.Context()) }()
	server.Await(func(c meilitest.Counts) bool { return c.ByRoute["GET /tasks"] > asked+1 })
	release()
	must(t, <-second)
	if n := server.Counts().ByRoute[patchSettings]; n != 2 {
		t.Errorf("%d changes of the settings", n)
	}
	if rules, _ := server.Settings("messages")["rankingRules"].([]any); len(rules) != 7 {
		t.Errorf("ranking rules %v", rules)
	}
}

func TestMeiliPrepareLeavesTheOperatorsSettings(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	server.ChangeSettings("messages", map[string]any{"stopWords": []any{"the"}, "synonyms": map[string]any{"tea": []any{"chai"}}})
	must(t, m.Prepare(t.Context()))
	if n := server.Counts().ByRoute[patchSettings]; n != 1 {
		t.Errorf("%d changes of the settings", n)
	}
}

func TestMeiliWiped(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	server.Wipe()
	if err := m.Apply(t.Context(), documents(document("a", "tea"))); chat.CodeOf(err) != chat.Unavailable || refused(err) {
		t.Errorf("apply: %v", err)
	}
	if got := server.Indexes(); len(got) != 0 {
		t.Errorf("created an index without settings: %v", got)
	}
	must(t, m.Prepare(t.Context()))
	must(t, m.Apply(t.Context(), documents(document("a", "tea"))))
	if found, err := m.Search(t.Context(), tea()); err != nil || len(found.Hits) != 1 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestMeiliRebuildLeftovers(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	other := openMeili(t, indexer.MeiliConfig{URL: server.URL, IndexName: "messages_eu"})
	must(t, other.Prepare(t.Context()))
	for range 2 {
		if _, err := m.Rebuild(t.Context()); err != nil { // and crashes
			t.Fatal(err)
		}
	}
	if got := server.Indexes(); len(got) != 3 {
		t.Errorf("indexes %v", got)
	}
	r, err := m.Rebuild(t.Context())
	must(t, err)
	must(t, r.Swap(t.Context()))
	if got := strings.Join(server.Indexes(), " "); got != "messages messages_eu" {
		t.Errorf("indexes %v", got)
	}
}

func TestMeiliWipedWhileRebuilding(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	r, err := m.Rebuild(t.Context())
	must(t, err)
	must(t, r.Apply(t.Context(), documents(document("a", "tea"))))
	uid := server.Indexes()[1]
	server.Wipe()
	if err := r.Apply(t.Context(), documents(document("b", "tea"))); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("apply: %v", err)
	}
	again := openMeili(t, indexer.MeiliConfig{URL: server.URL, IndexName: uid})
	must(t, again.Prepare(t.Context()))
	if err := r.Swap(t.Context()); chat.CodeOf(err) != chat.Unavailable || !strings.Contains(err.Error(), "lost") {
		t.Errorf("swap: %v", err)
	}
}

func TestMeiliSwapWithoutTheOldIndex(t *testing.T) {
	t.Parallel()
	server := meilitest.Start(t)
	m := openMeili(t, indexer.MeiliConfig{URL: server.URL})
	r, err := m.Rebuild(t.Context())
	must(t, err)
	must(t, r.Apply(t.Context(), documents(document("a", "tea"))))
	must(t, r.Swap(t.Context()))
	if found, err := m.Search(t.Context(), tea()); err != nil || len(found.Hits) != 1 {
		t.Errorf("found %v, %v", found, err)
	}
	if got := strings.Join(server.Indexes(), " "); got != "messages" {
		t.Errorf("indexes %v", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMeiliVersionsOfInvalidKeys(t *testing.T) {
	t.Parallel()
	_, m := prepared(t, indexer.MeiliConfig{})
	must(t, m.Apply(t.Context(), documents(document("a", "tea"))))
	got, err := m.Versions(t.Context(), []string{"", "a b", "a", `"]`})
	if err != nil || len(got) != 1 || got["a"] != 1 {
		t.Errorf("versions %v, %v", got, err)
	}
	if got, err := m.Versions(t.Context(), []string{"a b"}); err != nil || len(got) != 0 {
		t.Errorf("versions %v, %v", got, err)
	}
}
