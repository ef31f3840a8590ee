package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const documentColumns = 120

// TestDocuments follows the links that documents make to files and headings of
// this repository, looks for the files that they name, and bounds the lines of
// their source.
func TestDocuments(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)
	name := regexp.MustCompile("`([a-z0-9]+/[\\w./-]+\\.(?:go|ts|sh|yml|yaml))`")
	for _, file := range documents(t) {
		text := document(t, file)
		for i, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > documentColumns {
				t.Errorf("%s:%d has %d columns", file, i+1, n)
			}
		}
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(m[1]+m[2], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s: %v", file, target, err)
			} else if heading != "" && !headings(document(t, path))[heading] {
				t.Errorf("%s links to #%s, which %s does not have", file, heading, path)
			}
		}
	}
}

// The threat model names the tests that keep its promises: they exist.
func TestThreatModelNamesTests(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	exists := map[string]bool{}
	for _, file := range tracked(t) {
		if strings.HasSuffix(file, "_test.go") {
			for _, m := range declared.FindAllStringSubmatch(string(readTracked(t, file)), -1) {
				exists[m[1]] = true
			}
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(document(t, "docs/security.md"), -1)
	if len(named) < 30 {
		t.Errorf("docs/security.md names %d tests", len(named))
	}
	for _, m := range named {
		if !exists[m[1]] {
			t.Errorf("docs/security.md: there is no test %s", m[1])
		}
	}
}

// Whoever looks for a package finds it in the map.
func TestEveryPackageIsOnTheMap(t *testing.T) {
	text := document(t, "ARCHITECTURE.md")
	for pkg := range mayImport() {
		if folder, _, _ := strings.Cut(pkg, "/"); folder != "." && !strings.Contains(text, "\n"+folder+"/ ") {
			t.Errorf("ARCHITECTURE.md does not say what %s/ is", folder)
		}
	}
}

func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/images/*.md", "bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// headings are the anchors of a document, as GitHub makes them.
func headings(text string) map[string]bool {
	dropped := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchors[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return anchors
}
