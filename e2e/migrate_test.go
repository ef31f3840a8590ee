package e2e

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/e2e/load"
	"fechatter/e2e/proxy"
	"fechatter/persistence/postgrestest"
)

// TestMigration moves a node at work from SQLite to PostgreSQL. To its clients it
// was a restart: they resume, nobody is told of another history, and what was
// acknowledged, delivered and removed before and after is one history, which the
// new database holds.
func TestMigration(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	postgres, err := postgrestest.Start(t.Context())
	if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip("not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, err := postgres.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	front, err := proxy.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	lead := func(n *node) { front.Target("tcp", strings.TrimPrefix(n.url, "http://")) }

	dir := t.TempDir()
	old := start(t, dir)
	lead(old)
	s := &scenario{t: t, ctx: t.Context(), seed: drawSeed(t)}
	if s.load, err = load.Prepare(s.ctx, load.Config{URLs: []string{"http://" + front.Addr()}, Seed: s.seed, Devices: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.load.Close)
	s.load.Connect(s.ctx)
	s.load.Work(s.ctx)
	s.sends(100)
	if err := old.stop(); err != nil { // in the middle of the work
		t.Fatal(err)
	}
	out, err := exec.CommandContext(s.ctx, program, "migrate", "--from", "sqlite:"+filepath.Join(dir, "data", "fechatter.db"), "--to", address).CombinedOutput()
	if err != nil {
		t.Fatalf("migrate: %v: %s", err, out)
	}
	lead(start(t, t.TempDir(), "FECHATTER_DATABASE="+address))
	s.sends(100)
	run := s.judgeBy(func(ctx context.Context, statement string) ([]string, error) {
		return postgres.Query(ctx, strings.TrimPrefix(parsed.Path, "/"), statement)
	}, 200)
	for _, c := range run.Connections {
		for _, f := range c.Frames {
			if f.Op == "reset" && f.Reason == "epoch" {
				t.Errorf("%s is told of another history", c.Name)
			}
		}
	}
}
