package main

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	maxBinary  = 1 << 20 // bytes
	maxComment = 100     // columns, a tab counting as one
)

func TestNoBinaryIsTracked(t *testing.T) {
	for _, file := range tracked(t) {
		content := readTracked(t, file)
		if len(content) > maxBinary && bytes.IndexByte(content, 0) >= 0 {
			t.Errorf("%s is a binary of %d bytes", file, len(content))
		}
	}
}

func TestCommentLinesFit(t *testing.T) {
	for _, file := range tracked(t) {
		if path.Ext(file) != ".go" {
			continue
		}
		for i, line := range strings.Split(string(readTracked(t, file)), "\n") {
			comment := strings.HasPrefix(strings.TrimSpace(line), "// ")
			if comment && utf8.RuneCountInString(line) > maxComment {
				t.Errorf("%s:%d: the comment is longer than %d columns", file, i+1, maxComment)
			}
		}
	}
}

func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
}

func readTracked(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) { // deleted, and not committed yet
		t.Fatal(err)
	}
	return content
}
