package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/persistence"
)

// TestRestored follows the documented way: restore a backup, run restored, and start.
// The epoch is new, and stays.
func TestRestored(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "chat.db")
	in, err := LoadConfig([]string{"restored", "--database=sqlite:" + file}, io.Discard)
	if err != nil || in.Command != MarkRestored {
		t.Fatalf("command %q, %v", in.Command, err)
	}
	var out bytes.Buffer
	if err := RenewEpoch(t.Context(), in.Config, &out, io.Discard); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("without a database: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a database was created")
	}
	epoch := func() string {
		t.Helper()
		store, err := persistence.Open(t.Context(), persistence.Config{URL: in.Config.Database}, nil, newID, quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		epoch, _, err := store.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return epoch
	}
	before := epoch()
	if err := RenewEpoch(t.Context(), in.Config, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	after := epoch()
	if after == before || after != epoch() {
		t.Errorf("the epoch was %s and is %s", before, after)
	}
	if text := out.String(); !strings.Contains(text, before) || !strings.Contains(text, after) {
		t.Errorf("printed %q", text)
	}
	_, stop := serveUntilStopped(t, in.Config.Database)
	if err := RenewEpoch(t.Context(), in.Config, &out, io.Discard); err == nil || !strings.Contains(err.Error(), "another node") {
		t.Errorf("under a running node: %v", err)
	}
	stop()
}
