package conform

import (
	"net/http"
	"strings"

	"fechatter/conform/client"
)

// §7, and what is outside the API.

func outside(c *cast, path string) client.Answer {
	return client.Do(c.t, "GET", c.run.url+path, nil, http.Header{})
}

func healthPaths(t *T, c *cast) {
	equal(t, "status of /livez", outside(c, "/livez").Status, http.StatusOK)
	equal(t, "status of /readyz", outside(c, "/readyz").Status, http.StatusOK)
	if verbose := outside(c, "/readyz?verbose"); !strings.HasSuffix("\n"+strings.TrimSpace(string(verbose.Body)), "\nok") {
		t.Errorf("/readyz?verbose does not end with ok: %s", verbose.Body) // the parts before it may be the operator's
	}
	simple := outside(c, "/health/simple")
	equal(t, "/health/simple", strings.TrimSpace(string(simple.Body)), "ok")
	if kind := simple.Header.Get("Content-Type"); simple.Status != http.StatusOK || !strings.HasPrefix(kind, "text/plain") {
		t.Errorf("/health/simple answers %d %s", simple.Status, kind)
	}
	a := outside(c, "/health")
	equal(t, "status of /health", a.Status, http.StatusOK)
	equal(t, "Content-Type of /health", a.Header.Get("Content-Type"), "application/health+json")
	var h struct {
		Status string
		Checks map[string][]object
	}
	a.Read(t, &h)
	if h.Status != "pass" && h.Status != "warn" || len(h.Checks) == 0 {
		t.Errorf("/health is %s with %d checks", h.Status, len(h.Checks))
	}
	for name, list := range h.Checks {
		for _, one := range list {
			has(t, name, one, "componentType", "observedValue", "status", "time")
		}
		if len(list) == 0 || !strings.Contains(name, ":") {
			t.Errorf("check %q has %d values", name, len(list))
		}
	}
}

func documents(t *T, c *cast) {
	var open struct {
		OpenAPI string
		Paths   map[string]object
	}
	outside(c, "/openapi.json").Read(t, &open)
	equal(t, "openapi", strings.HasPrefix(open.OpenAPI, "3.1"), true)
	for path, methods := range map[string][]string{
		"/api/v1/users": {"get", "post"}, "/api/v1/chats": {"get", "post"}, "/api/v1/chats/{id}/messages": {"get", "post"},
		"/api/v1/messages/{id}": {"get", "patch", "delete"}, "/api/v1/events": {"get"}, "/api/v1/chats/{id}/cursor": {"put"},
	} {
		for _, method := range methods {
			if open.Paths[path][method] == nil {
				t.Errorf("/openapi.json has no %s %s", method, path)
			}
		}
	}
	var async struct{ AsyncAPI string }
	a := outside(c, "/asyncapi.json")
	a.Read(t, &async)
	equal(t, "has asyncapi", async.AsyncAPI != "", true)
	for _, op := range []string{"hello", "resume", "message.send", "message.created", "chat.joined", "reset"} {
		if !strings.Contains(string(a.Body), `"`+op+`"`) {
			t.Errorf("/asyncapi.json does not describe %s", op)
		}
	}
	docs := outside(c, "/docs")
	if docs.Status != http.StatusOK || !strings.HasPrefix(docs.Header.Get("Content-Type"), "text/html") {
		t.Errorf("/docs answers %d %s", docs.Status, docs.Header.Get("Content-Type"))
	}
}
