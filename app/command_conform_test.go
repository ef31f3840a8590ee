package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckProtocol(t *testing.T) {
	t.Parallel()
	url, _ := serveUntilStopped(t, "sqlite:"+t.TempDir()+"/data/fechatter.db")
	junit := filepath.Join(t.TempDir(), "junit.xml")
	var out strings.Builder
	if err := CheckProtocol(t.Context(), Conform{URL: url, Run: "405|health", JUnit: junit}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "pass  §7  the health endpoints") || !strings.Contains(out.String(), "3 passed, 0 failed") {
		t.Errorf("printed\n%s", &out)
	}
	xml, err := os.ReadFile(junit)
	if err != nil || strings.Count(string(xml), "<testcase ") != 3 {
		t.Errorf("%v in\n%s", err, xml)
	}
}

func TestCheckProtocolFails(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.NotFoundHandler())
	defer broken.Close()
	for what, c := range map[string]Conform{
		"another server": {URL: broken.URL}, "no address": {URL: "here"}, "no expression": {URL: broken.URL, Run: "("},
	} {
		var out strings.Builder
		if err := CheckProtocol(t.Context(), c, &out); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, printed %s", what, err, &out)
		}
	}
	url, _ := serveUntilStopped(t, "sqlite:"+t.TempDir()+"/data/fechatter.db")
	if err := CheckProtocol(t.Context(), Conform{URL: url, Run: "heatlh"}, io.Discard); err == nil || !strings.Contains(err.Error(), "heatlh") {
		t.Errorf("an expression that matches nothing: %v", err)
	}
}
