package app

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// A node that is asked to stop while it starts does so, and that is no failure: the
// unit that was stopped is not to be shown as failed.
func TestStoppedWhileItStarts(t *testing.T) {
	dir := t.TempDir()
	in, err := LoadConfig([]string{"--database=sqlite:" + filepath.Join(dir, "chat.db"), "--search=bleve:" + filepath.Join(dir, "search"),
		"--listen=127.0.0.1:0", "--admin-listen="}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	asked, stop := context.WithCancel(t.Context())
	stop()
	var log strings.Builder
	if err := Run(asked, in.Config, "test", io.Discard, &log); err != nil || !strings.Contains(log.String(), "before it had started") {
		t.Errorf("%v, and the log says %s", err, &log)
	}
}
