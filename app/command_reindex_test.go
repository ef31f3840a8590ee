package app

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/conform/client"
)

// TestReindex rebuilds the index, beside the node that keeps it and without one.
func TestReindex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := []string{"--database=sqlite:" + filepath.Join(dir, "fechatter.db"), "--search=bleve:" + filepath.Join(dir, "search")}
	url, stop := serveUntilStopped(t, strings.TrimPrefix(settings[0], "--database="), settings[1:]...)
	ada := client.SignUp(t, url, "ada")
	id := ada.Group()
	for range 5 {
		ada.Say(id, "a word")
	}
	reindex := func(want string, args ...string) {
		t.Helper()
		in, err := LoadConfig(append(append([]string{"reindex"}, args...), settings...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := RebuildIndex(t.Context(), in.Config, in.Reindex, &out, io.Discard); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %v, printed %q, want %q", args, err, out.String(), want)
		}
	}
	reindex("Done")
	reindex("5 messages queued", "--chat="+id)
	var found struct{ Total int }
	if ada.Rest("GET", "/search?q=word", nil, 200, &found); found.Total != 5 {
		t.Errorf("found %d", found.Total)
	}
	stop()
	reindex("Done")
	reindex("5 messages queued", "--chat="+id)
	elsewhere := filepath.Join(dir, "mistyped", "fechatter.db")
	for want, args := range map[string][]string{
		"id of a chat":         append([]string{"--chat=general"}, settings...),
		"does not exist":       append([]string{"--chat=" + newID()}, settings...),
		"there is no database": {"--database=sqlite:" + elsewhere, settings[1]},
	} {
		in, err := LoadConfig(append([]string{"reindex"}, args...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := RebuildIndex(t.Context(), in.Config, in.Reindex, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	if _, err := os.Stat(filepath.Dir(elsewhere)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a database was created: %v", err)
	}
}
