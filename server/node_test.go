package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/chat"

	"github.com/google/uuid"
)

// needsNode skips a test where only quick ones run.
func needsNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole node")
	}
}

// node is a whole node in this process, over its real listeners.
type node struct {
	url    string
	chat   *chat.Service
	cancel context.CancelFunc // asks it to end
	halt   func()             // and waits until it has
}

// startNode runs a node on embedded parts in a folder of its own, without rate limits
// other than those that change sets, and stops it when the test ends.
func startNode(t *testing.T, change ...func(*app.Config)) *node {
	t.Helper()
	needsNode(t)
	dir := t.TempDir()
	config := app.Config{Database: "sqlite:" + dir + "/fechatter.db", Nats: "embedded:", Presence: "memory:", Search: "bleve:" + dir + "/search", AwayAfter: 5 * time.Minute, Listen: "127.0.0.1:0",
		LogLevel: "warn", LogFormat: "text"}
	config.Limits.QueueBytes = 1 << 20
	config.AsyncIndexing = app.AsyncIndexing{BatchSize: 10, BatchTimeoutMS: 1000}
	for _, f := range change {
		f(&config)
	}
	n, err := app.Open(t.Context(), config, "test", slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	halt := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the node ended with %v", err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("the node does not end")
		}
	})
	t.Cleanup(halt)
	return &node{url: n.URL(), chat: n.Chat(), cancel: cancel, halt: halt}
}

func withConnectionsPerUser(limit int) func(*app.Config) {
	return func(c *app.Config) { c.Limits.ConnectionsPerUser = limit }
}

func withSends(perSecond, burst int) func(*app.Config) {
	return func(c *app.Config) { c.Limits.SendsPerSecond, c.Limits.SendBurst = perSecond, burst }
}

// sayMany sends count messages, many at once.
func (n *node) sayMany(t *testing.T, userID, chatID string, count int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() {
			m := chat.Send{ChatID: chatID, SenderID: userID, Key: uuid.NewString(), Body: fmt.Sprint("message ", i)}
			if _, err := n.chat.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
