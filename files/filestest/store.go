// Package filestest is the contract of files.Store, which every kind of store keeps.
package filestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"fechatter/files"
)

// Store runs the contract on an empty store.
func Store(t *testing.T, s files.Store) {
	t.Run("put", func(t *testing.T) { put(t, s) })
	t.Run("sizes", func(t *testing.T) { sizes(t, s) })
	t.Run("whole or not at all", func(t *testing.T) { whole(t, s) })
	t.Run("ranges", func(t *testing.T) { ranges(t, s) })
	t.Run("keys", func(t *testing.T) { keys(t, s) })
	t.Run("delete", func(t *testing.T) { remove(t, s) })
	t.Run("at once", func(t *testing.T) { atOnce(t, s) })
	t.Run("list", func(t *testing.T) { list(t, s) })
}

func read(t *testing.T, s files.Store, key string) string {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil || int64(len(text)) != b.Size() {
		t.Fatalf("%s has %d bytes, and says %d: %v", key, len(text), b.Size(), err)
	}
	return string(text)
}

func store(t *testing.T, s files.Store, key, text string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(text), int64(len(text))); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s files.Store) {
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	store(t, s, "first", "one")
	store(t, s, "empty", "")
	store(t, s, "first", "another")
	if got := read(t, s, "first") + read(t, s, "empty"); got != "another" {
		t.Errorf("read %q", got)
	}
	large := strings.Repeat("0123456789abcdef", 1<<20)
	store(t, s, "large", large)
	if read(t, s, "large") != large {
		t.Error("16 MiB come back as something else")
	}
}

func sizes(t *testing.T, s files.Store) {
	for text, size := range map[string]int64{"short": 6, "too long": 7} {
		if err := s.Put(t.Context(), "size", strings.NewReader(text), size); !errors.Is(err, files.ErrSize) {
			t.Errorf("%d bytes of %q: %v", size, text, err)
		}
	}
	if b, err := s.Open(t.Context(), "size"); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("it is there: %v, %v", b, err)
	}
}

// broken is a reader that fails in the middle, as a connection that is cut.
type broken struct{ left int }

var errCut = errors.New("cut")

func (b *broken) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errCut
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func whole(t *testing.T, s files.Store) {
	store(t, s, "kept", "what was there")
	if err := s.Put(t.Context(), "kept", &broken{20 << 20}, 40<<20); !errors.Is(err, errCut) {
		t.Errorf("a broken upload: %v", err)
	}
	if got := read(t, s, "kept"); got != "what was there" {
		t.Errorf("read %d bytes after a broken upload", len(got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "cancelled", strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled upload: %v", err)
	}
	for _, key := range []string{"cancelled"} {
		if _, err := s.Open(t.Context(), key); !errors.Is(err, files.ErrNotFound) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func ranges(t *testing.T, s files.Store) {
	store(t, s, "range", "0123456789")
	b, err := s.Open(t.Context(), "range")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	part := make([]byte, 3)
	if _, err := b.ReadAt(part, 4); err != nil || string(part) != "456" {
		t.Errorf("read %q, %v", part, err)
	}
	if _, err := b.Seek(-2, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(b); err != nil || string(rest) != "89" {
		t.Errorf("read %q, %v", rest, err)
	}
}

func keys(t *testing.T, s files.Store) {
	for _, key := range []string{"", ".", "..", "../x", "a/b", ".hidden", "a\x00b", "ä", strings.Repeat("x", 129)} {
		if err := s.Put(t.Context(), key, strings.NewReader("x"), 1); err == nil {
			t.Errorf("%q was taken", key)
		}
		if _, err := s.Open(t.Context(), key); err == nil {
			t.Errorf("%q was opened", key)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("%q was deleted", key)
		}
	}
}

func remove(t *testing.T, s files.Store) {
	store(t, s, "gone", "x")
	for range 2 {
		if err := s.Delete(t.Context(), "gone"); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Open(t.Context(), "gone"); !errors.Is(err, files.ErrNotFound) {
		t.Errorf("after it was deleted: %v", err)
	}
}

func atOnce(t *testing.T, s files.Store) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			text := bytes.Repeat([]byte{byte('a' + i)}, 100_000)
			if err := s.Put(t.Context(), "contended", bytes.NewReader(text), int64(len(text))); err != nil {
				t.Error(err)
			}
			store(t, s, fmt.Sprint("own-", i), string(text[:i]))
		})
	}
	all.Wait()
	if got := read(t, s, "contended"); len(got) != 100_000 || strings.Trim(got, got[:1]) != "" {
		t.Error("one blob is made of several")
	}
}

func list(t *testing.T, s files.Store) {
	found := map[string]int64{}
	err := s.List(t.Context(), func(key string, size int64) error { found[key] = size; return nil })
	if err != nil || len(found) != 26 || found["own-7"] != 7 || found["large"] != 16<<20 {
		t.Errorf("found %v, %v", found, err)
	}
	if err := s.List(t.Context(), func(string, int64) error { return errCut }); !errors.Is(err, errCut) {
		t.Errorf("the listing goes on: %v", err)
	}
}
