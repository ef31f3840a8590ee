package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fechatter/e2e/client"
)

// TestFullDisk fills the disk under a running node: sends are refused with
// unavailable, the process lives, health says so, and it recovers by itself.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	n := start(t, dir)
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	acked := ada.Say(id, "before")

	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	key := client.NewKey()
	n.eventually("full", func() bool {
		a := attempt{key: client.NewKey()}
		return !a.send(n.url, ada.Token, id)
	})
	var problem struct{ Code string }
	ada.Rest("POST", "/chats/"+id+"/messages", map[string]any{"body": "during"}, http.StatusServiceUnavailable, &problem, "Idempotency-Key", key)
	if problem.Code != "unavailable" {
		t.Errorf("refused with %s", problem.Code)
	}
	n.eventually("unready", func() bool { return n.status("/readyz") == http.StatusServiceUnavailable })
	n.eventually("unhealthy", func() bool { return n.status("/health") == http.StatusServiceUnavailable })
	if n.status("/livez") != http.StatusOK {
		t.Error("not alive")
	}
	var page struct{ Messages []struct{ Seq int64 } }
	ada.Rest("GET", "/chats/"+id+"/messages?limit=200&after_seq=0", nil, http.StatusOK, &page)
	if len(page.Messages) == 0 || page.Messages[0].Seq != acked {
		t.Errorf("history on a full disk: %+v", page)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	n.awaitReady()
	ada.Rest("POST", "/chats/"+id+"/messages", map[string]any{"body": "during"}, http.StatusCreated, nil, "Idempotency-Key", key)
}

// smallDisk mounts a file system of a few megabytes, which needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fill writes until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}
