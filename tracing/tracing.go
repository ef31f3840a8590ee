// Package tracing follows single messages through the nodes and exports what it
// sees to an OpenTelemetry collector, by OTLP over HTTP.
//
// Sends are sampled where they come in. A sampled one carries its trace, as a W3C
// traceparent, from part to part and from node to node; every other carries an
// empty string, at the cost of a comparison. So the parts know traces as strings,
// and only this package knows OpenTelemetry.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

const (
	// stopTimeout bounds the last export.
	stopTimeout = 5 * time.Second
	// exportTimeout bounds one request to the collector.
	exportTimeout = 5 * time.Second
	// defaultPath is where collectors accept traces, for an address without a path.
	defaultPath = "/v1/traces"
)

// Config configures a Tracer.
type Config struct {
	URL     string  // of the collector: http://HOST:4318, or https:// with TLS
	Ratio   float64 // of sends that are followed, 0 to 1
	Node    string  // service.instance.id
	Version string  // service.version
}

// Tracer creates traces. All methods may be called concurrently, also on nil, which
// traces nothing. What the collector does not accept in time is dropped; no method
// but Run waits for it.
type Tracer struct {
	ratio    float64
	provider *trace.TracerProvider
	tracer   api.Tracer
}

// New returns a Tracer; the caller must Run it. The error reports an invalid cfg; a
// collector that is unreachable is not an error.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Tracer, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("parse collector address: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = defaultPath
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithTimeout(exportTimeout))
	if err != nil {
		return nil, fmt.Errorf("make exporter: %w", err)
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(newQuiet(exporter, log), trace.WithExportTimeout(exportTimeout)),
		trace.WithSampler(trace.AlwaysSample()), // Begin has sampled
		trace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "fechatter"),
			attribute.String("service.version", cfg.Version),
			attribute.String("service.instance.id", cfg.Node),
		)),
	)
	return &Tracer{ratio: cfg.Ratio, provider: provider, tracer: provider.Tracer("fechatter")}, nil
}

// Run waits until ctx ends, then exports the last spans and returns nil.
func (t *Tracer) Run(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter has logged what it could not send
	return nil
}

// Begin decides whether something new is followed; if not, trace is empty. The
// caller must call end in both cases, with ok, replayed or the code of a problem.
func (t *Tracer) Begin(name string) (trace string, end func(outcome string)) {
	if t == nil || rand.Float64() >= t.ratio {
		return "", untraced
	}
	ctx, span := t.tracer.Start(context.Background(), name, api.WithSpanKind(api.SpanKindServer))
	return carry(ctx), func(outcome string) {
		span.SetAttributes(attribute.String("outcome", outcome))
		if outcome != "ok" && outcome != "replayed" {
			span.SetStatus(codes.Error, outcome)
		}
		span.End()
	}
}

func untraced(string) {}

// Start begins a span of a trace, and returns the trace as children of that span
// must carry it. The trace must not be empty.
func (t *Tracer) Start(trace, name string, attrs ...Attr) (child string, end func()) {
	if t == nil {
		return trace, func() {}
	}
	ctx, span := t.tracer.Start(parent(trace), name, api.WithSpanKind(api.SpanKindProducer), api.WithAttributes(attributes(attrs)...))
	return carry(ctx), func() { span.End() }
}

// Add records a span of a trace after it has ended. The trace must not be empty.
func (t *Tracer) Add(trace, name string, began, ended time.Time, attrs ...Attr) {
	if t == nil {
		return
	}
	_, span := t.tracer.Start(parent(trace), name, api.WithTimestamp(began), api.WithAttributes(attributes(attrs)...))
	span.End(api.WithTimestamp(ended))
}
