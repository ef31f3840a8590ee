package indexer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/indexer/meilitest"
)

// applying begins an Apply that the queue holds, and returns when it is enqueued.
func applying(ctx context.Context, t *testing.T, server *meilitest.Server, m *indexer.Meili) <-chan error {
	t.Helper()
	before := server.Counts().Batches
	done := make(chan error, 1)
	go func() { done <- m.Apply(ctx, documents(document("a", "tea"))) }()
	await(t, "the batch", func() bool { return server.Counts().Batches > before })
	return done
}

func await(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come", what)
		}
	}
}

func TestMeiliWaitsForTheQueue(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	release := server.HoldTasks()
	done := applying(t.Context(), t, server, m)
	asked := server.Counts().ByRoute["GET /tasks"]
	await(t, "the second question", func() bool { return server.Counts().ByRoute["GET /tasks"] > asked+1 })
	select {
	case err := <-done:
		t.Fatalf("answered before the task was done: %v", err)
	default:
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMeiliLosesItsQueue(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	release := server.HoldTasks()
	done := applying(t.Context(), t, server, m)
	server.LoseQueue()
	if err := <-done; chat.CodeOf(err) != chat.Unavailable || refused(err) {
		t.Errorf("apply: %v", err)
	}
	release()
	if n := len(server.Documents("messages")); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// A new server gives the same number to another task, which says nothing of ours.
func TestMeiliTaskOfAnotherServer(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	release := server.HoldTasks()
	done := applying(t.Context(), t, server, m)
	lift := server.Hang()
	server.Wipe()
	release()
	lift()
	if err := m.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), documents(document("b", "tea"))); err != nil {
		t.Fatal(err)
	}
	if err := <-done; chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("apply: %v", err)
	}
}

func TestMeiliApplyIsCancelled(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	defer server.HoldTasks()()
	ctx, cancel := context.WithCancel(t.Context())
	done := applying(ctx, t, server, m)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("apply: %v", err)
	}
}

func TestMeiliSplitsBigBatches(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{RequestTimeout: 30 * time.Second})
	var batch indexer.Batch
	body := strings.Repeat("\x01", 16<<10) // each of them six bytes of JSON
	for n := range 100 {
		batch.Documents = append(batch.Documents, document("id-"+strings.Repeat("i", n), body))
	}
	batch.Deleted = []string{"id-", "unknown"}
	batch.Documents = batch.Documents[1:]
	if err := m.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	counts := server.Counts()
	if counts.Batches < 3 || counts.MaxBytes > 5<<20 || counts.MaxDocuments > 50 {
		t.Errorf("%+v", counts)
	}
	if n, err := m.Count(t.Context()); n != 99 || err != nil {
		t.Errorf("%d documents, %v", n, err)
	}
}
