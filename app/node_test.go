package app

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// A node that is asked to stop during its start does so, and that is not a failure: a
// unit that was stopped must not be shown as failed.
func TestStoppedWhileItStarts(t *testing.T) {
	dir := t.TempDir()
	in, err := LoadConfig([]string{"--database=sqlite:" + filepath.Join(dir, "chat.db"), "--search=bleve:" + filepath.Join(dir, "search"),
		"--listen=127.0.0.1:0", "--admin-listen=", "--registration=open"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	var log strings.Builder
	if err := Run(stopped, in.Config, "test", io.Discard, &log); err != nil || !strings.Contains(log.String(), "stopped during the start") {
		t.Errorf("%v, log: %s", err, &log)
	}
}
