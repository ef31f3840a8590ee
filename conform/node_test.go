package conform_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"fechatter/app"
)

// startNode runs a node with its default settings, its data in a folder of its own, and
// stops it when the test ends.
func startNode(t *testing.T, args ...string) string {
	t.Helper()
	return launch(t, append([]string{"--registration=open"}, args...)...).URL()
}

// launch is startNode with the default settings.
func launch(t *testing.T, args ...string) *app.Node {
	t.Helper()
	if testing.Short() {
		t.Skip("checks a whole node")
	}
	data := filepath.Join(t.TempDir(), "data")
	args = append([]string{"--database=sqlite:" + filepath.Join(data, "fechatter.db"), "--search=bleve:" + filepath.Join(data, "search"), "--listen=127.0.0.1:0",
		"--admin-listen=", "--drain-delay=0s"}, args...)
	in, err := app.LoadConfig(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := app.Open(t.Context(), in.Config, "test", slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
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
	return n
}

// unlimited lifts the limits that many runs against one node would reach.
func unlimited() []string {
	return []string{"--limits-signups-per-ip-per-minute=0", "--limits-logins-per-ip-per-minute=0"}
}
