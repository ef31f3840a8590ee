package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func adminOf(change func(*Config)) http.Handler {
	c := defaults()
	c.AdminListen = "metrics.internal:9090"
	change(&c)
	answer := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	return adminHandler(c, answer("metrics"), answer("probe"))
}

func askAdmin(h http.Handler, path, host, authorization string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestProfilesAreServedIfAskedFor(t *testing.T) {
	t.Parallel()
	profiles := []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/symbol"}
	for pprof, want := range map[bool]int{false: http.StatusNotFound, true: http.StatusOK} {
		h := adminOf(func(c *Config) { c.AdminPprof = pprof })
		for _, path := range profiles {
			if got := askAdmin(h, path, "127.0.0.1", ""); got != want {
				t.Errorf("admin_pprof %v, %s: %d", pprof, path, got)
			}
		}
		for _, path := range []string{"/metrics", "/readyz", "/readyz?verbose", "/livez"} {
			if got := askAdmin(h, path, "127.0.0.1", ""); got != http.StatusOK {
				t.Errorf("%s: %d", path, got)
			}
		}
	}
}

func TestAdminNames(t *testing.T) {
	t.Parallel()
	h := adminOf(func(c *Config) { c.AllowedHosts = []string{"node1"} })
	for host, want := range map[string]int{
		"127.0.0.1:9090": 200, "10.1.2.3:9090": 200, "[::1]:9090": 200, "localhost:9090": 200, "node1:9090": 200, "NODE1.": 200, "metrics.internal:9090": 200,
		"evil.example": 421, "evil.example:9090": 421, "node1.evil.example": 421, "": 421, "chat.example": 421,
	} {
		for _, path := range []string{"/metrics", "/readyz?verbose", "/nothing"} {
			got := askAdmin(h, path, host, "")
			if path == "/nothing" && want == 200 {
				got -= 204 // not found
			}
			if got != want {
				t.Errorf("%q, %s: %d", host, path, got)
			}
		}
	}
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	h := adminOf(func(c *Config) { c.AdminToken, c.AdminPprof = "s3cret", true })
	for authorization, want := range map[string]int{
		"Bearer s3cret": 200, "bearer s3cret": 200,
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer s3cre": 401, "Bearer s3cret2": 401, "Bearer S3CRET": 401, "Basic s3cret": 401, "s3cret": 401, "Bearer  s3cret": 401,
	} {
		for _, path := range []string{"/metrics", "/readyz?verbose", "/debug/pprof/cmdline"} {
			if got := askAdmin(h, path, "127.0.0.1", authorization); got != want {
				t.Errorf("%q, %s: %d", authorization, path, got)
			}
		}
	}
}
