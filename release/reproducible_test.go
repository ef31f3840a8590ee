package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReleaseIsReproducible builds the page and a whole release in two folders, at
// different times, in different zones and languages:
// every file of the two is equal.
func TestReleaseIsReproducible(t *testing.T) {
	if os.Getenv("FECHATTER_ALL_SCENARIOS") == "" {
		t.Skip("builds everything twice; make prove-reproducible runs it")
	}
	sources := tracked(t)
	// Beside the sources, so that node_modules can be linked.
	base, err := filepath.Abs("../bin/twice")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	cache, modules := goenv(t, "GOCACHE"), goenv(t, "GOMODCACHE") // where they were, under another HOME
	outs := [2]string{}
	for i, place := range []struct {
		folder string
		env    []string
	}{
		{"one", []string{"TZ=UTC", "LANG=C"}},
		{"another/and deeper", []string{"TZ=Asia/Tokyo", "LANG=de_DE.UTF-8", "SOURCE_DATE_EPOCH=1", "HOME=" + t.TempDir(), "GOCACHE=" + cache, "GOMODCACHE=" + modules}},
	} {
		root := filepath.Join(base, place.folder)
		copyTo(t, root, sources)
		runIn(t, filepath.Join(root, "web"), place.env, "npm", "run", "--silent", "build")
		runIn(t, root, place.env, "go", "run", "./release", "-version", "v0.0.1", "-platforms", "linux/amd64")
		outs[i] = filepath.Join(root, "bin", "release", "v0.0.1")
	}
	same(t, outs[0], outs[1])
}

func goenv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func tracked(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}

// copyTo copies the sources, without what git knows of them.
func copyTo(t *testing.T, root string, sources []string) {
	t.Helper()
	for _, file := range sources {
		data, err := os.ReadFile(filepath.Join("..", file))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		to := filepath.Join(root, file)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o750)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, modules := range []string{"web/node_modules", "tools/npm/node_modules"} {
		runIn(t, "..", nil, "cp", "-al", modules, filepath.Join(root, modules))
	}
}

func runIn(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// same compares two folders, and requires of each what a release has.
func same(t *testing.T, one, another string) {
	t.Helper()
	var names []string
	for _, dir := range []string{one, another} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.Join(list(entries), " "))
	}
	const want = "SHA256SUMS fechatter-0.0.1-linux-amd64.cdx.json fechatter-0.0.1-linux-amd64.tar.gz fechatter-page.cdx.json"
	if names[0] != want || names[1] != want {
		t.Fatalf("released %q and %q, want %q", names[0], names[1], want)
	}
	for name := range strings.SplitSeq(want, " ") {
		a, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(another, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs, %d and %d bytes", name, len(a), len(b))
		}
		if len(a) < 500 && name != sumsFile {
			t.Errorf("%s has only %d bytes", name, len(a))
		}
	}
}

func list(entries []fs.DirEntry) (names []string) {
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
