package postgrestest

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFaults does to a server all that can be done to it, and checks after each
// step that exactly the right rows are there.
func TestFaults(t *testing.T) {
	ctx := t.Context()
	s, err := Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, err := s.Database(ctx)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := func(statement string, want ...string) {
		t.Helper()
		got, err := s.Query(ctx, name, statement)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s: %q, %v; want %q", statement, got, err, want)
		}
	}
	rows("CREATE TABLE x (n INT)")
	rows("INSERT INTO x VALUES (1)")
	must(s.Halt())
	must(s.Keep(ctx))
	must(s.Resume(ctx))
	rows("INSERT INTO x VALUES (2)")
	must(s.Crash())
	must(s.Resume(ctx))
	rows("SELECT n FROM x ORDER BY n", "1", "2")
	must(s.Freeze())
	soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if got, err := s.Query(soon, name, "SELECT 1"); err == nil {
		t.Errorf("a frozen server answers %q", got)
	}
	must(s.Thaw())
	rows("SELECT count(*) FROM x", "2")
	must(s.Halt())
	must(s.GoBack(ctx))
	must(s.Resume(ctx))
	rows("SELECT n FROM x", "1")
}
