package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"fechatter/conform/client"
)

// command runs a subcommand in dir and returns its output.
func command(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestBackupWhileSending copies the database of a node at work, restores it elsewhere
// and finds everything acknowledged before the copy, under a new epoch.
func TestBackupWhileSending(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	if out, err := command(t, dir, "healthcheck", "--listen", strings.TrimPrefix(n.url, "http://")); err != nil || out != "ok\n" {
		t.Errorf("healthcheck of a running node: %q, %v", out, err)
	}
	ada := client.SignUp(t, n.url, "ada")
	chatID := ada.Group()
	epoch := ada.Fresh().Seen[0].Field(t, "epoch")
	var acked atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			a := &attempt{key: fmt.Sprintf("message-%d", i)}
			if a.send(n.url, ada.Token, chatID) {
				acked.Store(a.seq)
			}
		}
	}()
	eventually(t, "200 messages", func() bool { return acked.Load() >= 200 })
	var file string
	var before int64
	eventually(t, "sending while a backup runs", func() bool {
		file, before = filepath.Join(t.TempDir(), "copy.db"), acked.Load()
		if out, err := command(t, dir, "backup", file); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return acked.Load() > before
	})
	close(stop)
	<-ended
	if out, err := command(t, dir, "backup", file); err == nil || !strings.Contains(out, "exists already") {
		t.Errorf("a second backup into the same file: %v: %s", err, out)
	}
	n.kill()

	restored := restore(t, file)
	back := start(t, restored)
	ada.URL = back.url
	if now := ada.Fresh().Seen[0].Field(t, "epoch"); now == epoch {
		t.Errorf("the epoch is still %v", now)
	}
	var history struct {
		LastSeq  int64 `json:"last_seq"`
		Messages []struct{ Seq int64 }
	}
	ada.Rest("GET", fmt.Sprintf("/chats/%s/messages?limit=200&before_seq=%d", chatID, before+1), nil, 200, &history)
	if history.LastSeq < before {
		t.Errorf("the chat ends at %d, and %d was acknowledged before the backup", history.LastSeq, before)
	}
	for i, m := range history.Messages {
		if want := before - int64(len(history.Messages)-1-i); m.Seq != want {
			t.Fatalf("message %d of the history has seq %d, want %d", i, m.Seq, want)
		}
	}
	if seq := ada.Say(chatID, "after the restore"); seq != history.LastSeq+1 {
		t.Errorf("the chat goes on at %d, want %d", seq, history.LastSeq+1)
	}
}

// restore follows the documentation.
func restore(t *testing.T, file string) (dir string) {
	t.Helper()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the backup: %v, %v", info.Mode(), err)
	}
	dir = t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, filepath.Join(data, "fechatter.db")); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, dir, "restored"); err != nil {
		t.Fatalf("restored: %v: %s", err, out)
	}
	return dir
}

// TestBackupRefused: what cannot be backed up is refused, and nothing is left behind.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program")
	}
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"find the database":   {"backup", "copy.db"},
		"pg_dump":             {"backup", "copy.db", "--database=postgres://127.0.0.1/chat"},
		"healthcheck: Get":    {"healthcheck", "--listen=127.0.0.1:1"},
		"expected \"<file>\"": {"backup"},
	} {
		if out, err := command(t, dir, args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v: %s; want %s", args, err, out, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestKilledBackupIsSwept kills a backup at work: the next one removes what it has left.
func TestKilledBackupIsSwept(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), t.TempDir()
	n := start(t, dir)
	ada := client.SignUp(t, n.url, "ada")
	ada.Say(ada.Group(), "kept")
	partials := func() []string {
		found, err := filepath.Glob(filepath.Join(to, "*.partial-*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	eventually(t, "killed in the middle", func() bool {
		cmd := exec.Command(program, "backup", filepath.Join(to, client.NewKey()+".db"))
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for len(partials()) == 0 {
			select {
			case <-ended:
				return false // too late
			default:
			}
		}
		_ = cmd.Process.Kill()
		<-ended
		return len(partials()) > 0
	})
	if out, err := command(t, dir, "backup", filepath.Join(to, "next.db")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left := partials(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
