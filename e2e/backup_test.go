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

// command runs a subcommand in dir and gives what it said.
func command(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestBackupWhileSending copies the database of a node at work, restores it
// elsewhere and finds what was acknowledged before the copy, under a new epoch.
func TestBackupWhileSending(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	if out, err := command(t, dir, "healthcheck", "--listen", strings.TrimPrefix(n.url, "http://")); err != nil || out != "ok\n" {
		t.Errorf("healthcheck of a node that runs: %q, %v", out, err)
	}
	ada := client.SignUp(t, n.url, "ada")
	chatID := ada.Group()
	epoch := ada.Fresh().Seen[0].Field(t, "epoch")
	var acked atomic.Int64
	enough, stop, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			a := &attempt{key: fmt.Sprintf("message-%d", i)}
			if !a.send(n.url, ada.Token, chatID) {
				return
			}
			if acked.Store(a.seq); i == 200 {
				close(enough)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	<-enough
	before := acked.Load()
	file := filepath.Join(t.TempDir(), "copy.db")
	if out, err := command(t, dir, "backup", file); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	during := acked.Load()
	close(stop)
	<-ended
	if during <= before {
		t.Error("nothing was sent while the backup ran: that proves little")
	}
	if out, err := command(t, dir, "backup", file); err == nil || !strings.Contains(out, "is there already") {
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

// restore does what the documentation says.
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

// What cannot be backed up so is said, and nothing is left behind.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
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
