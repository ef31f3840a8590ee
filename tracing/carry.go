package tracing

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

// header is the key of the one string that we propagate.
const header = "traceparent"

// Attr is an attribute of a span: never content, never a name.
type Attr struct {
	Key   string
	Text  string
	Count int64 // used when Text is empty
}

func attributes(attrs []Attr) []attribute.KeyValue {
	list := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		if a.Text != "" {
			list[i] = attribute.String(a.Key, a.Text)
		} else {
			list[i] = attribute.Int64(a.Key, a.Count)
		}
	}
	return list
}

func carry(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[header]
}

// parent reads a trace. An unreadable one starts a new trace.
func parent(s string) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{header: s})
}

// quiet logs failed exports now and then, and carries on.
type quiet struct {
	trace.SpanExporter
	log   *slog.Logger
	noisy rate.Sometimes
}

func newQuiet(e trace.SpanExporter, log *slog.Logger) *quiet {
	return &quiet{SpanExporter: e, log: log, noisy: rate.Sometimes{First: 3, Interval: time.Minute}}
}

// ExportSpans implements trace.SpanExporter.
func (q *quiet) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := q.SpanExporter.ExportSpans(ctx, spans); err != nil {
		q.noisy.Do(func() { q.log.Warn("traces not exported", "spans", len(spans), "error", err) })
	}
	return nil
}
