package indexer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/indexer/meilitest"
)

func prepared(t *testing.T, cfg indexer.MeiliConfig) (*meilitest.Server, *indexer.Meili) {
	t.Helper()
	server := meilitest.Start(t)
	cfg.URL = server.URL
	m := openMeili(t, cfg)
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return server, m
}

func document(id, body string) indexer.Document {
	return indexer.Document{ID: id, ChatID: "room", SenderID: "alice", Body: body, CreatedAt: 1, Version: 1}
}

func documents(d ...indexer.Document) indexer.Batch { return indexer.Batch{Documents: d} }

func tea() chat.IndexQuery {
	return chat.IndexQuery{Words: []string{"tea"}, ChatIDs: []string{"room"}, Limit: 10}
}

// everything calls every method that talks to the server.
func everything(ctx context.Context, m *indexer.Meili) map[string]error {
	_, searched := m.Search(ctx, tea())
	_, counted := m.Count(ctx)
	_, versions := m.Versions(ctx, []string{"a"})
	_, _, paged := m.Page(ctx, "", 10)
	_, rebuilt := m.Rebuild(ctx)
	return map[string]error{
		"search": searched, "count": counted, "versions": versions, "page": paged, "rebuild": rebuilt,
		"apply": m.Apply(ctx, documents(document("a", "tea"))), "prepare": m.Prepare(ctx), "ping": m.Ping(ctx),
	}
}

func refused(err error) bool {
	_, ok := errors.AsType[*indexer.RefusedError](err)
	return ok
}

func allUnavailable(t *testing.T, m *indexer.Meili) {
	t.Helper()
	for name, err := range everything(t.Context(), m) {
		if chat.CodeOf(err) != chat.Unavailable || refused(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeiliStatuses(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	for _, status := range []int{401, 403, 404, 408, 429, 500, 502, 503, 504} {
		server.SetStatus(status)
		allUnavailable(t, m)
	}
	server.SetStatus(0)
	for name, err := range everything(t.Context(), m) {
		if err != nil {
			t.Errorf("after the outage, %s: %v", name, err)
		}
	}
}

func TestMeiliTooLarge(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	server.SetStatus(http.StatusRequestEntityTooLarge)
	r, err := m.Rebuild(t.Context())
	if r != nil || chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("rebuild: %v", err)
	}
	server.SetStatus(0)
	r, err = m.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.FailTasks("invalid_request", "payload_too_large", func(meilitest.Document) bool { return true })
	if err := r.Apply(t.Context(), documents(document("a", "secret"))); !refused(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("apply: %v", err)
	}
}

func TestMeiliHangs(t *testing.T) {
	t.Parallel()
	server, _ := prepared(t, indexer.MeiliConfig{})
	m := openMeili(t, indexer.MeiliConfig{URL: server.URL, RequestTimeout: 20 * time.Millisecond})
	t.Cleanup(func() { _ = m.Close() })
	lift := server.Hang()
	allUnavailable(t, m)
	lift()
	// A busy machine may exceed this timeout, but not every time.
	for attempt := 1; m.Ping(t.Context()) != nil; attempt++ {
		if attempt == 1000 {
			t.Fatal("does not recover")
		}
	}
}

func TestMeiliDown(t *testing.T) {
	t.Parallel()
	m := openMeili(t, indexer.MeiliConfig{URL: "http://127.0.0.1:1"})
	allUnavailable(t, m)
}

func TestMeiliAddress(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "localhost:7700", "ftp://host", "http://", "http://u:secret@ h", "://u:secret@", "http://u:secret"} {
		_, err := indexer.OpenMeili(indexer.MeiliConfig{URL: url}, nil)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestMeiliKey(t *testing.T) {
	t.Parallel()
	server := meilitest.Start(t)
	server.RequireKey("right-key")
	for _, key := range []string{"", "wrong-key"} {
		m := openMeili(t, indexer.MeiliConfig{URL: server.URL, APIKey: key})
		err := m.Apply(t.Context(), documents(document("a", "secret")))
		if chat.CodeOf(err) != chat.Unavailable || !strings.Contains(err.Error(), "refuses the API key") {
			t.Errorf("key %q: %v", key, err)
		}
		if text := err.Error(); strings.Contains(text, "secret") || strings.Contains(text, "wrong-key") {
			t.Errorf("leaks a secret: %v", text)
		}
		_ = m.Close()
	}
	m := openMeili(t, indexer.MeiliConfig{URL: server.URL, APIKey: "right-key"})
	defer m.Close()
	if err := m.Prepare(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMeiliPoison(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	poison := func(d meilitest.Document) bool { return d.Text("body") == "poison" }
	both := documents(document("a", "tea"), document("b", "poison"))
	server.FailTasks("invalid_request", "invalid_document_fields", poison)
	if err := m.Apply(t.Context(), both); !refused(err) {
		t.Errorf("apply: %v", err)
	}
	for _, kind := range []string{"internal", "system"} {
		server.FailTasks(kind, "no_space_left_on_device", poison)
		if err := m.Apply(t.Context(), both); refused(err) || chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("apply: %v", err)
		}
	}
	server.FailTasks("invalid_request", "index_primary_key_already_exists", poison)
	if err := m.Apply(t.Context(), both); refused(err) || chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a fault of the index was blamed on the batch: %v", err)
	}
	if err := m.Apply(t.Context(), documents(document("a", "tea"))); err != nil {
		t.Error(err)
	}
	if got := server.Documents("messages"); len(got) != 1 || got["a"].Text("body") != "tea" {
		t.Errorf("documents %v", got)
	}
}
