package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fechatter/conform/client"
)

// TestRestartIsSeamless stops a node in good order: it says drain and ends cleanly,
// and a client that resumes gets everything once, in order.
func TestRestartIsSeamless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	s := bob.Fresh()
	epoch := s.Seen[len(s.Seen)-1].Field(t, "epoch")
	ada.Say(id, "one")
	held := s.Want("message.created").Seq
	ended := make(chan error, 1)
	go func() { ended <- n.stop() }()
	s.Want("drain")
	s.Closes(1012)
	if err := <-ended; err != nil {
		t.Fatalf("stopped with %v:\n%s", err, n.log)
	}

	n = start(t, dir)
	ada.URL, bob.URL = n.url, n.url
	want := []int64{ada.Say(id, "two"), ada.Say(id, "three")}
	s = bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: held}})
	s.Want("ready")
	if got := s.Seqs(id); !slices.Equal(got, want) {
		t.Errorf("resumed with %v, want %v", got, want)
	}
}

// TestTwoNodesCannotShareADatabase starts a second process on the same data: in the same
// folder, and by a link from elsewhere.
func TestTwoNodesCannotShareADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir)
	second := exec.Command(program)
	second.Dir = dir
	second.Env = append(os.Environ(), "FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=")
	out, err := second.CombinedOutput()
	if err == nil {
		t.Fatalf("a second process ran in the same folder: %s", out)
	}
	elsewhere := t.TempDir()
	link := filepath.Join(elsewhere, "link.db")
	if err := os.Symlink(filepath.Join(dir, "data", "fechatter.db"), link); err != nil {
		t.Fatal(err)
	}
	second = exec.Command(program)
	second.Dir = elsewhere
	second.Env = append(os.Environ(), "FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=", "FECHATTER_DATABASE=sqlite:"+link)
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "another node already uses the file") {
		t.Fatalf("a second process ran on the same file: %v: %s", err, out)
	}
	if n.status("/readyz") != http.StatusOK {
		t.Error("the first node was disturbed")
	}
}
