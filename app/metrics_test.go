package app

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"fechatter/conform/client"
)

// families are the metrics that dashboards and alerts stand on, and their types.
func families() map[string]dto.MetricType {
	counter, gauge, histogram := dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_HISTOGRAM
	return map[string]dto.MetricType{
		"http_request_duration_seconds": histogram, "command_duration_seconds": histogram, "commands_total": counter,
		"sends_total": counter, "send_ack_seconds": histogram, "send_queue_length": gauge, "send_waiting": gauge,
		"commit_group_size": histogram, "commit_duration_seconds": histogram, "commit_bisections_total": counter,
		"commit_skips_total": counter, "commit_lanes_total": counter, "fanout_duration_seconds": histogram,
		"connections": gauge, "streams": gauge, "subscriptions": gauge, "queue_bytes": gauge, "ring_bytes": gauge,
		"events_total": counter, "deliveries_total": counter, "ephemeral_dropped_total": counter,
		"slow_closes_total": counter, "heartbeat_closes_total": counter, "repairs_total": counter,
		"resumes_total": counter, "bus_connected": gauge, "bus_queue_bytes": gauge, "bus_dropped_total": counter,
		"bus_gaps_total": counter, "presence_people": gauge, "presence_devices": gauge, "presence_available": gauge,
		"ready": gauge, "part_up": gauge, "part_response_seconds": gauge, "build_info": gauge,
	}
}

// A running node shows each of them, named as Prometheus wants it, after a
// person has sent a message over REST and over a WebSocket.
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

// wantBounded: no label takes what a client makes up.
func wantBounded(t *testing.T, f *dto.MetricFamily) {
	t.Helper()
	known := []string{"route", "method", "status", "op", "code", "outcome", "reason", "cause", "part", "version", "go"}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if ours := strings.HasPrefix(f.GetName(), "fechatter_"); ours && !slices.Contains(known, l.GetName()) {
				t.Errorf("%s has a label %s", f.GetName(), l.GetName())
			}
			if strings.Contains(l.GetValue(), "no.such") || strings.Contains(l.GetValue(), "/no/such") {
				t.Errorf("%s{%s=%q} is a client's word", f.GetName(), l.GetName(), l.GetValue())
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
	n, err := Open(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("the node ended: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the node does not end")
		}
	})
	return n
}
