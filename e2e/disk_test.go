package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/conform/client"
)

// TestFullDisk fills the disk under a running node.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	ballast := filepath.Join(dir, "ballast")
	refusesAndRecovers(t, dir, func() { fill(t, ballast) }, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

// TestReadOnlyDatabase makes the database's files immutable under a running node.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	refusesAndRecovers(t, dir, func() { setImmutable(t, dir, "+i") }, func() { setImmutable(t, dir, "-i") })
}

// refusesAndRecovers runs a node whose database stops taking writes: the node refuses
// sends with unavailable, lives on and reads, reports its health, and recovers by
// itself.
func refusesAndRecovers(t *testing.T, dir string, spoil, mend func()) {
	t.Helper()
	n := start(t, dir)
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	acked := ada.Say(id, "before")

	spoil()
	key := client.NewKey()
	eventually(t, "refusing", func() bool {
		a := attempt{key: client.NewKey()}
		return !a.send(n.url, ada.Token, id)
	})
	var problem struct{ Code string }
	ada.Rest("POST", "/chats/"+id+"/messages", map[string]any{"body": "during"}, http.StatusServiceUnavailable, &problem, "Idempotency-Key", key)
	if problem.Code != "unavailable" {
		t.Errorf("refused with %s", problem.Code)
	}
	eventually(t, "unready", func() bool { return n.status("/readyz") == http.StatusServiceUnavailable })
	eventually(t, "unhealthy", func() bool { return n.status("/health") == http.StatusServiceUnavailable })
	if n.status("/livez") != http.StatusOK {
		t.Error("not alive")
	}
	refused := 0
	for refused < 200 {
		if a := (attempt{key: client.NewKey()}); !a.send(n.url, ada.Token, id) {
			refused++
		}
	}
	if lines := strings.Count(n.log.String(), "msg=request"); lines > refused/2 {
		t.Errorf("%d requests were refused, and the log has %d lines about that", refused, lines)
	}
	var page struct{ Messages []struct{ Seq int64 } }
	ada.Rest("GET", "/chats/"+id+"/messages?limit=200&after_seq=0", nil, http.StatusOK, &page)
	if len(page.Messages) == 0 || page.Messages[0].Seq != acked {
		t.Errorf("history meanwhile: %+v", page)
	}

	mend()
	n.awaitReady()
	ada.Rest("POST", "/chats/"+id+"/messages", map[string]any{"body": "during"}, http.StatusCreated, nil, "Idempotency-Key", key)
}

// setImmutable changes the flag that stops writers who have the file open already, and
// even root. It needs root and a file system that knows the flag.
func setImmutable(t *testing.T, dir, flag string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "data", "fechatter.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database in %s: %v", dir, err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "-shm") {
			continue // memory, not the database
		}
		if out, err := exec.Command("chattr", flag, f).CombinedOutput(); err != nil {
			t.Skipf("files cannot be made immutable here: %v: %s", err, out)
		}
	}
	if flag == "+i" {
		t.Cleanup(func() { setImmutable(t, dir, "-i") })
	}
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
