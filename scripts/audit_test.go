// Package scripts tests the scripts beside it.
package scripts

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// registry answers audits of npm like the real one, with these advisories.
func registry(t *testing.T, status int, advisories map[string]any) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/security/advisories/bulk") || status != http.StatusOK {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = json.NewEncoder(w).Encode(advisories)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// database makes a database of Go's vulnerabilities with one of a module that is used.
func database(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const id, module, when = "GO-2099-0001", "golang.org/x/text", "2099-01-01T00:00:00Z"
	for file, content := range map[string]any{
		"index/db.json":      map[string]any{"modified": when},
		"index/modules.json": []any{map[string]any{"path": module, "vulns": []any{map[string]any{"id": id, "modified": when}}}},
		"index/vulns.json":   []any{map[string]any{"id": id, "modified": when}},
		"ID/" + id + ".json": map[string]any{
			"schema_version": "1.3.1", "id": id, "modified": when, "published": when, "summary": "made up for a test", "details": "made up for a test",
			"affected": []any{map[string]any{
				"package":            map[string]any{"name": module, "ecosystem": "Go"},
				"ranges":             []any{map[string]any{"type": "SEMVER", "events": []any{map[string]any{"introduced": "0"}}}},
				"ecosystem_specific": map[string]any{"imports": []any{map[string]any{"path": module + "/unicode/norm"}}},
			}},
		},
	} {
		path := filepath.Join(dir, file)
		data, err := json.Marshal(content)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o750)
		}
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}

func audit(t *testing.T, env ...string) (output string, passed bool) {
	t.Helper()
	if _, err := os.Stat("../web/node_modules"); testing.Short() || err != nil {
		t.Skip("runs npm and govulncheck: ", err)
	}
	cmd := exec.CommandContext(t.Context(), "./audit.sh")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

const nowhere = "http://127.0.0.1:9" // nobody listens there

// Without a network both are skipped, with a word, and nothing fails.
func TestAuditWithoutNetwork(t *testing.T) {
	t.Parallel()
	for _, npm := range []string{nowhere, registry(t, http.StatusNotFound, nil)} {
		out, passed := audit(t, "GOVULNDB="+nowhere, "npm_config_registry="+npm)
		if !passed || !strings.Contains(out, "govulncheck skipped") || !strings.Contains(out, "npm skipped") {
			t.Errorf("passed: %v: %s", passed, out)
		}
	}
}

// What npm knows fails the audit, and nothing else does.
func TestAuditOfThePage(t *testing.T) {
	t.Parallel()
	bad := map[string]any{"svelte": []any{map[string]any{"id": 1, "url": "https://example.org/1", "title": "made up", "severity": "high", "vulnerable_versions": ">=0"}}}
	if out, passed := audit(t, "GOVULNDB="+nowhere, "npm_config_registry="+registry(t, http.StatusOK, bad)); passed || !strings.Contains(out, "made up") {
		t.Errorf("a vulnerability passed: %v: %s", passed, out)
	}
	if out, passed := audit(t, "GOVULNDB="+nowhere, "npm_config_registry="+registry(t, http.StatusOK, map[string]any{})); !passed || !strings.Contains(out, "npm knows of nothing") {
		t.Errorf("nothing failed: %s", out)
	}
}

// What Go's database knows of something that is called fails the audit; what is not
// called does not.
func TestAuditOfTheProgram(t *testing.T) {
	t.Parallel()
	known := "GOVULNDB=" + database(t)
	if out, passed := audit(t, known, "AUDIT_PACKAGES=./fold", "npm_config_registry="+nowhere); passed || !strings.Contains(out, "GO-2099-0001") {
		t.Errorf("a vulnerability passed: %v: %s", passed, out)
	}
	if out, passed := audit(t, known, "AUDIT_PACKAGES=./timeline", "npm_config_registry="+nowhere); !passed || strings.Contains(out, "skipped: the database") {
		t.Errorf("something else failed: %s", out)
	}
}
