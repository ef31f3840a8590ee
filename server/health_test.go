package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type fixedHealth HealthReport

func (f fixedHealth) Health() HealthReport { return HealthReport(f) }

func ask(h http.HandlerFunc, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func part(name string, status HealthStatus) HealthPart {
	return HealthPart{
		Name: name, Metric: "responseTime", Type: "datastore", Value: 0.25, Unit: "ms", Status: status,
		Time: time.Date(2026, 3, 1, 13, 0, 0, 5_000_000, time.FixedZone("", 3600)),
	}
}

func TestHealthPagesTellOneTruth(t *testing.T) {
	for status, want := range map[HealthStatus]struct {
		code int
		word string
	}{Pass: {200, "ok"}, Warn: {200, "ok"}, Fail: {503, "unhealthy"}} {
		p := healthPages{health: fixedHealth{Status: status}}
		if w := ask(p.simple, "/health/simple"); w.Code != want.code || w.Body.String() != want.word {
			t.Errorf("%s: /health/simple %d %q", status, w.Code, w.Body)
		}
		if w := ask(p.readyz, "/readyz"); w.Code != want.code || strings.TrimSpace(w.Body.String()) != want.word {
			t.Errorf("%s: /readyz %d %q", status, w.Code, w.Body)
		}
		if w := ask(p.full, "/health"); w.Code != want.code || !strings.Contains(w.Body.String(), string(status)) {
			t.Errorf("%s: /health %d %q", status, w.Code, w.Body)
		}
		w := ask(p.livez, "/livez")
		if w.Code != http.StatusOK {
			t.Errorf("%s: /livez %d: it must know no dependency", status, w.Code)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
	}
}

func TestHealthBeforeTheNodeIsThere(t *testing.T) {
	var p healthPages
	if ask(p.readyz, "/readyz").Code != 503 || ask(p.full, "/health").Code != 503 || ask(p.livez, "/livez").Code != 200 {
		t.Error("a node without health must be alive and not ready")
	}
}

// What the parts are is for the operator alone.
func TestReadyzNamesThePartsToTheOperator(t *testing.T) {
	p := healthPages{health: fixedHealth{Status: Warn, Parts: []HealthPart{part("sqlite", Pass), part("nats", Warn)}}}
	if got := ask(p.parts, "/readyz?verbose").Body.String(); got != "sqlite:responseTime pass\nnats:responseTime warn\nok\n" {
		t.Errorf("verbose: %q", got)
	}
	for name, h := range map[string]http.HandlerFunc{"to the operator": p.parts, "to anybody": p.readyz} {
		if got := ask(h, "/readyz").Body.String(); got != "ok\n" {
			t.Errorf("plain, %s: %q", name, got)
		}
	}
	for _, query := range []string{"?verbose", "?verbose=1", "?%76erbose", "?a&verbose"} {
		if got := ask(p.readyz, "/readyz"+query).Body.String(); got != "ok\n" {
			t.Errorf("to anybody who asks %s: %q", query, got)
		}
	}
}

func TestHealthDocument(t *testing.T) {
	p := healthPages{version: "1.2.3", health: fixedHealth{Status: Pass, Parts: []HealthPart{part("sqlite", Pass)}}}
	w := ask(p.full, "/health")
	if got := w.Header().Get("Content-Type"); got != "application/health+json" {
		t.Errorf("Content-Type %q", got)
	}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"status": "pass", "version": "1.2.3",
		"checks": map[string]any{"sqlite:responseTime": []any{map[string]any{
			"componentType": "datastore", "observedValue": 0.25, "observedUnit": "ms",
			"status": "pass", "time": "2026-03-01T12:00:00.005Z",
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
