package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var script = strings.Repeat("export const a = 1;\n", 100)

func built() http.Handler {
	return newHandler(fstest.MapFS{
		".gitkeep":           {Data: []byte{}},
		"index.html":         {Data: []byte("<!doctype html><title>page</title>")},
		"favicon.svg":        {Data: []byte("<svg/>")},
		"assets/index-ab.js": {Data: []byte(script)},
		"assets/index-cd.css": {
			Data: []byte("a{}"),
		},
	})
}

func get(t *testing.T, h http.Handler, method, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandlerPaths(t *testing.T) {
	for _, tc := range []struct {
		path, contentType, cache string
		status                   int
	}{
		{"/", "text/html; charset=utf-8", "no-cache", 200},
		{"/index.html", "text/html; charset=utf-8", "no-cache", 200},
		{"/chats/0199a0c0-0000-7000-8000-000000000001", "text/html; charset=utf-8", "no-cache", 200},
		{"/favicon.svg", "image/svg+xml", "no-cache", 200},
		{"/assets/index-ab.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", 200},
		{"/assets/index-cd.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", 200},
		{"/assets/gone.js", "text/plain; charset=utf-8", "", 404},
		{"/assets/", "text/plain; charset=utf-8", "", 404},
		{"/.gitkeep", "text/plain; charset=utf-8", "", 404},
		{"/robots.txt", "text/plain; charset=utf-8", "", 404},
	} {
		res := get(t, built(), http.MethodGet, tc.path, "")
		got := []any{res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Cache-Control")}
		if got[0] != tc.status || got[1] != tc.contentType || got[2] != tc.cache {
			t.Errorf("%s: got %v, want %d %q %q", tc.path, got, tc.status, tc.contentType, tc.cache)
		}
	}
}

func TestHandlerProtectsEveryAnswer(t *testing.T) {
	for name, h := range map[string]http.Handler{"built": built(), "not built": http.HandlerFunc(sayNotBuilt)} {
		header := get(t, h, http.MethodGet, "/", "").Header
		csp := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", name, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q allows unsafe sources", name, csp)
		}
		if got := header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q", name, got)
		}
	}
}

func TestHandlerPacksWhenAsked(t *testing.T) {
	res := get(t, built(), http.MethodGet, "/assets/index-ab.js", "br, gzip")
	if got := res.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding is %q, want gzip", got)
	}
	r, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r); err != nil || string(body) != script {
		t.Errorf("unpacked %d bytes, err %v; want the %d bytes of the script", len(body), err, len(script))
	}
	for _, encoding := range []string{"", "br", "gzip;q=0"} {
		if got := get(t, built(), http.MethodGet, "/assets/index-ab.js", encoding).Header.Get("Content-Encoding"); got != "" {
			t.Errorf("Accept-Encoding %q: Content-Encoding is %q, want none", encoding, got)
		}
	}
}

func TestHandlerMethods(t *testing.T) {
	res := get(t, built(), http.MethodPost, "/", "")
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
	res = get(t, built(), http.MethodHead, "/", "")
	if body, err := io.ReadAll(res.Body); err != nil || len(body) != 0 || res.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: got body %q, length %q, err %v", body, res.Header.Get("Content-Length"), err)
	}
}

// Whether a page was built depends on the checkout; the answer must fit either way.
func TestEmbeddedPage(t *testing.T) {
	_, ok := Files()
	res := get(t, Handler(), http.MethodGet, "/", "")
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if ok && (res.StatusCode != http.StatusOK || !strings.Contains(string(body), "<script")) {
		t.Errorf("built page: got %d %q", res.StatusCode, body)
	}
	if !ok && (res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "run build")) {
		t.Errorf("no page: got %d %q", res.StatusCode, body)
	}
}
