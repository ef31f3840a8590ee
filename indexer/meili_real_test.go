package indexer_test

import (
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fechatter/indexer"
)

// realServer is a real Meilisearch: the one that MEILI_URL names, or one started for
// this test.
type realServer struct{ url, key string }

// own returns a configuration with an index of its own.
func (s realServer) own() indexer.MeiliConfig {
	return indexer.MeiliConfig{
		URL: s.url, APIKey: s.key, IndexName: "test_" + strings.ToLower(rand.Text()), RequestTimeout: 30 * time.Second,
	}
}

// realMeili skips the test if there is no Meilisearch.
func realMeili(t testing.TB) realServer {
	if url := os.Getenv("MEILI_URL"); url != "" {
		return realServer{url, os.Getenv("MEILI_MASTER_KEY")}
	}
	bin, err := exec.LookPath("meilisearch")
	if err != nil {
		t.Skip("no MEILI_URL, and no meilisearch on the PATH")
	}
	return startMeili(t, bin)
}

func startMeili(t testing.TB, bin string) realServer {
	s := realServer{"http://" + freeAddress(t), "key-of-a-test-server"}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--no-analytics", "--http-addr", strings.TrimPrefix(s.url, "http://"),
		"--db-path", filepath.Join(dir, "db"), "--master-key", s.key)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
	awaitHealth(t, s.url)
	return s
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitHealth(t testing.TB, url string) {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		resp, err := client.Get(url + "/health")
		if err == nil {
			resp.Body.Close()
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatal("Meilisearch did not answer within a minute")
}
