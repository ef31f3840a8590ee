//go:build unix

package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fechatter/indexer"
)

const scarceFolder = "FECHATTER_TEST_BLEVE_SCARCE"

// An index that cannot be opened because descriptors have run out is whole when there
// are some again, wherever in the opening that was.
func TestBleveWithoutDescriptors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBleve(t, dir)
	for n := range 6 { // one segment each
		apply(t, b, numbered(n, "tea"))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBleveScarceChild$")
	child.Env = append(os.Environ(), scarceFolder+"="+dir)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestBleveScarceChild has a limit of descriptors, which would hit other tests too.
func TestBleveScarceChild(t *testing.T) {
	dir := os.Getenv(scarceFolder)
	if dir == "" {
		t.Skip("only runs in a child of TestBleveWithoutDescriptors")
	}
	limitDescriptors(t, 128)
	failed := 0
	for spare, enough := 0, 0; enough < 3; spare++ {
		if spare > 100 {
			t.Fatal("it never opens")
		}
		if failedToOpen(t, dir, spare) {
			failed++
		} else {
			enough++
		}
		b := openBleve(t, dir)
		if n := count(t, b); n != 6 {
			t.Fatalf("%d documents after it was opened with %d descriptors left", n, spare)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if failed < 3 {
		t.Errorf("only %d attempts failed", failed)
	}
	applyWhileTheyRunOut(t, dir)
	prepareWithoutDescriptors(t, dir)
}

// limitDescriptors makes what would be descriptor n or a later one fail to open; what is
// open stays open.
func limitDescriptors(t *testing.T, n uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: n, Max: 128}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}

func failedToOpen(t *testing.T, dir string, spare int) bool {
	t.Helper()
	give := useUp(t, spare)
	b, err := indexer.OpenBleve(dir, slog.New(onRecord(func(string) { give() })))
	give()
	if err != nil {
		return true
	}
	if n := count(t, b); n != 6 {
		t.Errorf("%d documents with %d descriptors left", n, spare)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return false
}

// onRecord is a log that has something happen before a record of it returns: here, that
// there are descriptors again by the time an index is being replaced.
type onRecord func(message string)

func (onRecord) Enabled(context.Context, slog.Level) bool { return true }
func (r onRecord) Handle(_ context.Context, of slog.Record) error {
	r(of.Message)
	return nil
}
func (r onRecord) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r onRecord) WithGroup(string) slog.Handler      { return r }

// applyWhileTheyRunOut writes a batch without spare descriptors. Those that Bleve merges or
// closes meanwhile may be enough to write it, even after Apply gave up, and to open the
// index again. Whatever happens, what was there before stays.
func applyWhileTheyRunOut(t *testing.T, dir string) {
	t.Helper()
	b := openBleve(t, dir)
	give := useUp(t, 0)
	written := b.Apply(t.Context(), indexer.Batch{Documents: []indexer.Document{numbered(6, "tea")}})
	_ = b.Prepare(t.Context())
	give()
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b); n != 7 && (n != 6 || written == nil) {
		t.Errorf("%d documents after a batch with outcome %v", n, written)
	}
	if err := b.Apply(t.Context(), indexer.Batch{Deleted: []string{numbered(6, "tea").ID}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// prepareWithoutDescriptors has a batch fail, after which the index must be opened again.
// Nothing can be opened, not even instead of what the index closes.
func prepareWithoutDescriptors(t *testing.T, dir string) {
	t.Helper()
	b, err := indexer.OpenBleve(dir, slog.New(onRecord(func(message string) {
		if strings.Contains(message, "recreated") { // for which there must be descriptors
			limitDescriptors(t, 128)
		}
	})))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	limitDescriptors(t, 0)
	if err := b.Apply(t.Context(), indexer.Batch{Documents: []indexer.Document{numbered(6, "tea")}}); err == nil {
		t.Error("applied without a descriptor")
	}
	for range 2 {
		if err := b.Prepare(t.Context()); !errors.Is(err, syscall.EMFILE) {
			t.Errorf("prepared without a descriptor: %v", err)
		}
	}
	limitDescriptors(t, 128)
	if err := b.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b); n != 6 {
		t.Errorf("%d documents", n)
	}
}

// useUp opens files until only some more can be opened, and returns how to close them.
func useUp(t *testing.T, spare int) (give func()) {
	t.Helper()
	var held []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, f)
	}
	closeAll := func(files []*os.File) {
		for _, f := range files {
			_ = f.Close()
		}
	}
	closeAll(held[:spare])
	return func() { closeAll(held[spare:]) }
}

// A disk that cannot be read says nothing about what is on it. /proc/self/mem answers
// EIO where nothing is mapped.
func TestBleveOnAnUnreadableDisk(t *testing.T) {
	t.Parallel()
	const unreadable = "/proc/self/mem"
	if _, err := os.ReadFile(unreadable); !errors.Is(err, syscall.EIO) {
		t.Skip("no file here answers EIO: ", err)
	}
	for _, pattern := range []string{"index-1/root.bolt", "index-1/*.zap"} {
		t.Run(filepath.Base(pattern), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b := openBleve(t, dir)
			apply(t, b, numbered(1, "tea"))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			file := match(t, dir, pattern)[0]
			if err := errors.Join(os.Rename(file, file+".kept"), os.Symlink(unreadable, file)); err != nil {
				t.Fatal(err)
			}
			if again, err := indexer.OpenBleve(dir, quiet()); err == nil {
				n := count(t, again)
				_ = again.Close()
				t.Fatalf("opened, with %d documents", n)
			}
			if err := os.Rename(file+".kept", file); err != nil {
				t.Fatal(err)
			}
			again := openBleve(t, dir)
			defer again.Close()
			if n := count(t, again); n != 1 {
				t.Errorf("%d documents", n)
			}
		})
	}
}

// What an index is replaced for.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, number := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC, syscall.EIO, syscall.EPERM, syscall.EACCES,
		syscall.ENOMEM, syscall.EROFS, syscall.EDQUOT, syscall.ESTALE, syscall.ETIMEDOUT, syscall.ELOOP} {
		err := fmt.Errorf("open: %w", &os.PathError{Op: "open", Path: "x", Err: number})
		if indexer.Damaged(err) {
			t.Errorf("%v counts as damage", err)
		}
	}
	for _, err := range []error{&os.PathError{Err: syscall.ENOENT}, &os.PathError{Err: syscall.ENOTDIR}, errors.New("checksum")} {
		if !indexer.Damaged(err) {
			t.Errorf("%v does not count as damage", err)
		}
	}
}
