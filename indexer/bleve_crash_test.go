package indexer_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
)

const childFolder = "FECHATTER_TEST_BLEVE_FOLDER"

func numbered(n int, body string) indexer.Document {
	return indexer.Document{
		ID: fmt.Sprintf("message-%06d", n), ChatID: "room", SenderID: "alice", Body: body,
		Seq: int64(n), CreatedAt: chat.Time(1_750_000_000_000 + n), Version: int64(n),
	}
}

// TestBleveChild is the process that TestBleveKilled kills. It prints which batches
// it has applied.
func TestBleveChild(t *testing.T) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		t.Skip("only runs in a child of TestBleveKilled")
	}
	b := openBleve(t, dir)
	for n := 0; ; n += 2 {
		batch := indexer.Batch{Documents: []indexer.Document{numbered(n, "kept tea"), numbered(n+1, "kept coffee")}}
		if n%20 == 10 {
			batch.Deleted = []string{numbered(n-10, "").ID}
		}
		if err := b.Apply(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("applied %d\n", n+1)
	}
}

// What Apply has acknowledged survives a crash at any moment.
func TestBleveKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round, acks := range []int{1, 25, 60} {
		last := applyAndKill(t, dir, acks)
		b := openBleve(t, dir)
		var ids []string
		for n := range last + 1 {
			ids = append(ids, numbered(n, "").ID)
		}
		versions, err := b.Versions(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for n, id := range ids {
			if n%20 == 0 && n+10 == last+1 {
				continue // was being deleted
			}
			deleted := n%20 == 0 && n+10 < last
			if _, there := versions[id]; there == deleted {
				t.Errorf("round %d, applied up to %d: %s there: %v", round, last, id, there)
			}
		}
		found, err := b.Search(t.Context(), chat.IndexQuery{Words: []string{"coffee"}, ChatIDs: []string{"room"}, Limit: 1})
		if err != nil || found.Total < (last+1)/2 {
			t.Errorf("round %d: found %d, %v", round, found.Total, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// applyAndKill kills a process after some acknowledgements and returns the last
// document that it acknowledged.
func applyAndKill(t *testing.T, dir string, acks int) (last int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBleveChild$")
	child.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	killed := false
	for n := 0; lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "applied %d", &last); err != nil {
			continue
		}
		if n++; n >= acks && !killed {
			killed = true
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !killed {
		t.Fatalf("the child exited on its own: %v", err)
	}
	return last
}

func TestBleveInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	if _, err := indexer.OpenBleve(dir, quiet()); !errors.Is(err, indexer.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openBleve(t, dir).Close(); err != nil {
		t.Error(err)
	}
}

// A damaged index is replaced by an empty one that works.
func TestBleveBroken(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"other version":   func(t *testing.T, dir string) { write(t, filepath.Join(dir, "current"), "bleve 0 index-1\n") },
		"no name":         func(t *testing.T, dir string) { write(t, filepath.Join(dir, "current"), "") },
		"other folder":    func(t *testing.T, dir string) { write(t, filepath.Join(dir, "current"), "bleve 1 ../../etc\n") },
		"no files":        func(t *testing.T, dir string) { remove(t, dir, "index-*") },
		"no segments":     func(t *testing.T, dir string) { remove(t, dir, "index-*/*.zap") },
		"segment cut":     func(t *testing.T, dir string) { shorten(t, dir, "index-*/*.zap", 2) },
		"segment empty":   func(t *testing.T, dir string) { shorten(t, dir, "index-*/*.zap", 1<<30) },
		"segment changed": func(t *testing.T, dir string) { change(t, dir, "index-*/*.zap") },
		"list short":      func(t *testing.T, dir string) { shorten(t, dir, "index-*/root.bolt", 3000) },
		"list empty":      func(t *testing.T, dir string) { shorten(t, dir, "index-*/root.bolt", 1<<30) },
		"list is a folder": func(t *testing.T, dir string) {
			remove(t, dir, "index-*/root.bolt")
			makeFolder(t, dir, "index-1/root.bolt")
		},
		"index is no folder": func(t *testing.T, dir string) {
			remove(t, dir, "index-*")
			write(t, filepath.Join(dir, "index-1"), "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b := openBleve(t, dir)
			for n := range 6 { // one segment each
				apply(t, b, numbered(n, "tea"))
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir)
			again := openBleve(t, dir)
			defer again.Close()
			if n := count(t, again); n != 0 {
				t.Errorf("%d documents in a broken index", n)
			}
			apply(t, again, numbered(1, "coffee"))
			if n := count(t, again); n != 1 {
				t.Errorf("%d documents after one was applied", n)
			}
		})
	}
}

// A failed write is an error, not the end: searches continue over what is on disk, or
// if that is gone, the next Prepare starts over.
func TestBleveCannotWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	defer b.Close()
	apply(t, b, numbered(1, "tea"))
	remove(t, dir, "index-1")
	if err := b.Apply(t.Context(), indexer.Batch{Documents: []indexer.Document{numbered(2, "tea")}}); err == nil {
		t.Fatal("applied to an index that is gone")
	}
	if _, err := b.Count(t.Context()); err == nil {
		t.Error("counted an index that is gone")
	}
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	apply(t, b, numbered(3, "tea"))
	if n := count(t, b); n != 1 {
		t.Errorf("%d documents", n)
	}
}

// What a crash left of a rebuild is removed; other files stay.
func TestBleveLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	apply(t, b, numbered(1, "tea"))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	makeFolder(t, dir, "index-7")
	write(t, filepath.Join(dir, "index-7", "root.bolt"), "half")
	write(t, filepath.Join(dir, "current.new"), "bleve 1 ind")
	write(t, filepath.Join(dir, "notes.txt"), "mine")
	again := openBleve(t, dir)
	defer again.Close()
	if n := count(t, again); n != 1 {
		t.Errorf("%d documents", n)
	}
	rebuild, err := again.Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := rebuild.Swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "current index-8 lock notes.txt" {
		t.Errorf("left: %s", got)
	}
}

func apply(t *testing.T, index indexer.Index, docs ...indexer.Document) {
	t.Helper()
	if err := index.Apply(t.Context(), indexer.Batch{Documents: docs}); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, index indexer.Index) int64 {
	t.Helper()
	n, err := index.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeFolder(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir, pattern string) {
	t.Helper()
	for _, path := range match(t, dir, pattern) {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// shorten truncates files to a fraction of their size.
func shorten(t *testing.T, dir, pattern string, part int64) {
	t.Helper()
	for _, path := range match(t, dir, pattern) {
		info, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, info.Size()/part)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// change changes one byte in the middle of files.
func change(t *testing.T, dir, pattern string) {
	t.Helper()
	for _, path := range match(t, dir, pattern) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 0x10
		write(t, path, string(text))
	}
}

func match(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths
}
