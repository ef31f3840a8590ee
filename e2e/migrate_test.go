package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/load"
	"fechatter/e2e/proxy"
	"fechatter/persistence/postgrestest"
)

// TestMigration moves a node at work from SQLite to PostgreSQL. To its clients that is a
// restart: they resume, nobody hears of another epoch, and what was acknowledged,
// delivered and removed before and after is one history, held by the new database.
func TestMigration(t *testing.T) {
	t.Parallel()
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
	pointTo := func(n *node) { front.Target("tcp", strings.TrimPrefix(n.url, "http://")) }

	dir := t.TempDir()
	old := start(t, dir)
	pointTo(old)
	s := (&scenario{seed: drawSeed(t)}).in(t)
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
	pointTo(start(t, t.TempDir(), "FECHATTER_DATABASE="+address))
	s.sends(100)
	run := s.judgeBy(func(ctx context.Context, statement string) ([]string, error) {
		return postgres.Query(ctx, strings.TrimPrefix(parsed.Path, "/"), statement)
	})
	for _, c := range run.Connections {
		for _, f := range c.Frames {
			if f.Op == "reset" && f.Reason == "epoch" {
				t.Errorf("%s hears of another epoch", c.Name)
			}
		}
	}
}

// TestKilledMigration kills the command at its last words, again and again: afterwards the
// old and the new database never have the same epoch, and a second run finishes.
func TestKilledMigration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	ada := client.SignUp(t, n.url, "ada")
	chatID := ada.Group()
	said := ada.Say(chatID, "before the move")
	epoch := ada.Fresh().Seen[0].Field(t, "epoch")
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(dir, "data", "fechatter.db")
	before, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	for kill := range 3 {
		if err := os.WriteFile(from, before, 0o600); err != nil {
			t.Fatal(err)
		}
		moved := t.TempDir()
		to := filepath.Join(moved, "data", "fechatter.db")
		args := []string{"migrate", "--from", "sqlite:" + from, "--to", "sqlite:" + to}
		cmd := exec.Command(program, args...)
		out := &killer{cmd: cmd, at: "leases", after: time.Duration(kill) * time.Millisecond}
		cmd.Stdout = out
		_ = cmd.Run() // killed, or too late
		if text, err := command(t, dir, args...); err != nil {
			t.Fatalf("the second run: %v: %s", err, text)
		}
		back := start(t, moved)
		ada.URL = back.url
		var history struct {
			LastSeq int64 `json:"last_seq"`
		}
		ada.Rest("GET", "/chats/"+chatID+"/messages?limit=10", nil, 200, &history)
		if history.LastSeq != said {
			t.Errorf("the chat ends at %d, want %d", history.LastSeq, said)
		}
		there := ada.Fresh().Seen[0].Field(t, "epoch")
		back.kill()
		old := start(t, dir)
		ada.URL = old.url
		if here := ada.Fresh().Seen[0].Field(t, "epoch"); here == there || here == epoch {
			t.Errorf("the old database has epoch %v, the new one %v; it was %v", here, there, epoch)
		}
		if err := old.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// killer kills a program some time after it has printed something.
type killer struct {
	cmd   *exec.Cmd
	at    string
	after time.Duration
	said  []byte
}

func (k *killer) Write(b []byte) (int, error) {
	k.said = append(k.said, b...)
	if k.at != "" && bytes.Contains(k.said, []byte(k.at)) {
		k.at = ""
		time.AfterFunc(k.after, func() { _ = k.cmd.Process.Kill() })
	}
	return len(b), nil
}
