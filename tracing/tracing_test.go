package tracing

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An unreachable collector costs nothing until the end, and then its timeout.
func TestCollectorOutOfReach(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "100")
	tracer, err := New(t.Context(), Config{URL: "http://127.0.0.1:1", Ratio: 1}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	trace, end := tracer.Begin("message.send")
	if len(trace) != len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") {
		t.Errorf("trace %q", trace)
	}
	child, done := tracer.Start(trace, "publish")
	if child[:35] != trace[:35] || child == trace {
		t.Errorf("%q is not a child of %q", child, trace)
	}
	done()
	tracer.Add(child, "deliver", time.Now(), time.Now(), Attr{Key: "seq", Count: 1})
	tracer.Add("rubbish", "deliver", time.Now(), time.Now())
	end("ok")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tracer.Run(ctx); err != nil {
		t.Error(err)
	}
}

// What is not followed allocates nothing, whether tracing is off or on.
func TestNotFollowedIsFree(t *testing.T) {
	off := &Tracer{}
	for name, tracer := range map[string]*Tracer{"none": nil, "ratio 0": off} {
		cost := testing.AllocsPerRun(100, func() {
			trace, end := tracer.Begin("message.send")
			if trace != "" {
				t.Errorf("%s: followed", name)
			}
			end("ok")
		})
		if cost != 0 {
			t.Errorf("%s: %v allocations", name, cost)
		}
	}
}
