package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{"v1.2.3": true, "1.2.3-rc.1+x": true, "": false, "../x": false, "-v": false, "v1 2": false, "v1/2": false} {
		if _, err := parse([]string{"-version", version}); (err == nil) != want {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// Archives hold the files, with their modes, and are the same whatever the files' times
// and owners are.
func TestArchivesAreReproducible(t *testing.T) {
	t.Parallel()
	var made [][]byte
	for range 2 {
		dir := t.TempDir()
		files := []packed{
			{from: write(t, filepath.Join(dir, "program"), "\x7fELF"), name: "x/fechatter", mode: 0o755},
			{from: write(t, filepath.Join(dir, "text"), strings.Repeat("read me\n", 10_000)), name: "x/README.md", mode: 0o644},
		}
		archive := filepath.Join(dir, "a.tar.gz")
		if err := pack(archive, files); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, data)
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two archives of the same files differ")
	}
	if got, want := contents(t, made[0]), []string{"x/fechatter -rwxr-xr-x 4", "x/README.md -rw-r--r-- 80000"}; !slices.Equal(got, want) {
		t.Errorf("the archive holds %q, want %q", got, want)
	}
}

func contents(t *testing.T, data []byte) (list []string) {
	t.Helper()
	packing, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(packing); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.Join([]string{header.Name, header.FileInfo().Mode().String(), strconv.Itoa(len(content))}, " "))
	}
}

// sha256sum reads the sums, and ssh-keygen verifies their signature: by the right key,
// for this purpose, and of these very bytes.
func TestSumsAndSignature(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ssh-keygen", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("not tested: ", err)
		}
	}
	keys, out := t.TempDir(), t.TempDir()
	key, other := newKey(t, keys, "a"), newKey(t, keys, "b")
	write(t, filepath.Join(out, "a.tar.gz"), "one")
	write(t, filepath.Join(out, "b.zip"), "two")
	o := options{out: out, key: key}
	if err := o.sums(); err != nil {
		t.Fatal(err)
	}
	if err := o.sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := in(t, out, "", "sha256sum", "--strict", "-c", sumsFile); err != nil {
		t.Errorf("sha256sum: %v", err)
	}
	sums, err := os.ReadFile(filepath.Join(out, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, key, purpose, text string
		want                     bool
	}{
		{"as it is", key, namespace, string(sums), true},
		{"another key", other, namespace, string(sums), false},
		{"another purpose", key, "git", string(sums), false},
		{"another text", key, namespace, strings.Replace(string(sums), "a.tar.gz", "c.tar.gz", 1), false},
	} {
		err := in(t, out, tc.text, "ssh-keygen", "-Y", "verify", "-f", signers(t, tc.key), "-I", "release", "-n", tc.purpose, "-s", sumsFile+".sig")
		if (err == nil) != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	write(t, filepath.Join(out, "a.tar.gz"), "changed")
	if in(t, out, "", "sha256sum", "--strict", "-c", sumsFile) == nil {
		t.Error("a changed archive passes")
	}
	if err := (options{out: out, key: filepath.Join(keys, "none")}).sign(t.Context()); err == nil {
		t.Error("a key that does not exist signs")
	}
	if err := (options{out: t.TempDir()}).sign(t.Context()); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func newKey(t *testing.T, dir, name string) string {
	t.Helper()
	key := filepath.Join(dir, name)
	if err := in(t, dir, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key); err != nil {
		t.Fatal(err)
	}
	return key
}

// signers writes who may sign, as ssh-keygen reads it.
func signers(t *testing.T, key string) string {
	t.Helper()
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(t.TempDir(), "signers"), "release "+string(public))
}

func in(t *testing.T, dir, input, name string, args ...string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	t.Logf("%s: %s", name, out)
	return err
}
