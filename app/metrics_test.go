package app

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"fechatter/conform/client"
)

// families returns the metrics that dashboards and alerts rely on, and their types.
func families() map[string]dto.MetricType {
	counter, gauge, histogram := dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_HISTOGRAM
	return map[string]dto.MetricType{
		"http_request_duration_seconds": histogram, "command_duration_seconds": histogram, "commands_total": counter,
		"sends_total": counter, "security_events_total": counter, "send_ack_seconds": histogram, "send_queue_length": gauge, "send_waiting": gauge,
		"commit_group_size": histogram, "commit_duration_seconds": histogram, "commit_bisections_total": counter,
		"commit_skips_total": counter, "commit_lanes_total": counter, "commit_turns_total": counter, "fanout_duration_seconds": histogram,
		"connections": gauge, "streams": gauge, "subscriptions": gauge, "queue_bytes": gauge, "ring_bytes": gauge,
		"events_total": counter, "deliveries_total": counter, "ephemeral_dropped_total": counter,
		"slow_closes_total": counter, "heartbeat_closes_total": counter, "repairs_total": counter,
		"resumes_total": counter, "bus_connected": gauge, "bus_queue_bytes": gauge, "bus_dropped_total": counter,
		"bus_gaps_total": counter, "bus_rejected_total": counter, "bus_unsigned_total": counter, "false_events_total": counter, "presence_people": gauge, "presence_devices": gauge, "presence_available": gauge,
		"limited_total": counter, "stored_bytes_total": counter, "caused_deliveries_total": counter, "passwords_waiting": gauge,
		"ready": gauge, "part_up": gauge, "part_response_seconds": gauge, "build_info": gauge,
	}
}

// A running node shows all of them, named as Prometheus demands, after somebody has sent
// a message over REST and over a WebSocket.
func TestMetricsOfARunningNode(t *testing.T) {
	t.Parallel()
	n := runNode(t, t.TempDir())
	ada := client.SignUp(t, n.URL(), "ada")
	chatID := ada.Group()
	socket := ada.Fresh()
	ada.Say(chatID, "over REST")
	socket.OK("message.send", map[string]any{"chat_id": chatID, "key": client.NewKey(), "body": "over a WebSocket"})
	socket.Ask("no.such.op."+client.NewKey(), map[string]any{})
	ada.Do(http.MethodGet, "/no/such/path/"+client.NewKey(), nil)

	problems, err := testutil.GatherAndLint(n.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	gathered, err := n.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	missing := families()
	for _, f := range gathered {
		name := strings.TrimPrefix(f.GetName(), "fechatter_")
		if want, asked := missing[name]; asked && f.GetType() != want {
			t.Errorf("%s is a %v, want a %v", name, f.GetType(), want)
		}
		delete(missing, name)
		wantBounded(t, f)
	}
	if len(missing) > 0 {
		t.Errorf("missing: %v", slices.Sorted(maps.Keys(missing)))
	}
}

// wantBounded fails if a label contains what a client made up.
func wantBounded(t *testing.T, f *dto.MetricFamily) {
	t.Helper()
	known := []string{"limit", "route", "method", "status", "op", "code", "outcome", "reason", "kind", "cause", "part", "event", "version", "go"}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if ours := strings.HasPrefix(f.GetName(), "fechatter_"); ours && !slices.Contains(known, l.GetName()) {
				t.Errorf("%s has a label %s", f.GetName(), l.GetName())
			}
			if strings.Contains(l.GetValue(), "no.such") || strings.Contains(l.GetValue(), "/no/such") {
				t.Errorf("%s{%s=%q} is a word of a client", f.GetName(), l.GetName(), l.GetValue())
			}
		}
	}
}

// runNode opens and runs a node until the end of the test.
func runNode(t *testing.T, dir string) *Node {
	t.Helper()
	c := defaults()
	c.Database, c.Search = "sqlite:"+dir+"/chat.db", "bleve:"+dir+"/search"
	c.Listen, c.AdminListen, c.DrainDelay = "127.0.0.1:0", "127.0.0.1:0", 0
	c.Registration = "open"
	n, err := Open(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	running(t, n)
	return n
}
