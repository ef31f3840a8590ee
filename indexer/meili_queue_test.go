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

// applying starts an Apply and returns once its task is enqueued.
func applying(ctx context.Context, server *meilitest.Server, m *indexer.Meili) <-chan error {
	before := server.Counts().Batches
	done := make(chan error, 1)
	go func() { done <- m.Apply(ctx, documents(document("a", "tea"))) }()
	server.Await(func(c meilitest.Counts) bool { return c.Batches > before })
	return done
}

func TestMeiliWaitsForTheQueue(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	release := server.HoldTasks()
	done := applying(t.Context(), server, m)
	asked := server.Counts().ByRoute["GET /tasks"]
	server.Await(func(c meilitest.Counts) bool { return c.ByRoute["GET /tasks"] > asked+1 })
	select {
	case err := <-done:
		t.Fatalf("returned before the task was done: %v", err)
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
	done := applying(t.Context(), server, m)
	server.LoseQueue()
	if err := <-done; chat.CodeOf(err) != chat.Unavailable || refused(err) {
		t.Errorf("apply: %v", err)
	}
	release()
	if n := len(server.Documents("messages")); n != 0 {
		t.Errorf("%d documents", n)
	}
}

// A new server reuses our task's number, which says nothing about our task.
func TestMeiliTaskOfAnotherServer(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{})
	release := server.HoldTasks()
	done := applying(t.Context(), server, m)
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
	done := applying(ctx, server, m)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("apply: %v", err)
	}
}

func TestMeiliSplitsBigBatches(t *testing.T) {
	t.Parallel()
	server, m := prepared(t, indexer.MeiliConfig{RequestTimeout: 30 * time.Second})
	var batch indexer.Batch
	body := strings.Repeat("\x01", 16<<10) // each byte is six bytes of JSON
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
