// Package tracing follows single messages through the nodes and sends what it
// saw to an OpenTelemetry collector, by OTLP over HTTP.
//
// Which send is followed is drawn by lot where it comes in. What is followed
// carries its trace, in the form of W3C's traceparent, from part to part and
// from node to node; everything else carries an empty string, and costs nothing
// but a look at it. So the parts know traces as strings, and only this package
// knows OpenTelemetry.
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
	// stopTimeout bounds sending what was seen last.
	stopTimeout = 5 * time.Second
	// exportTimeout bounds one request to the collector.
	exportTimeout = 5 * time.Second
	// defaultPath is where collectors take traces, when the address names no path.
	defaultPath = "/v1/traces"
)

// Config says where traces go and how many.
type Config struct {
	URL     string  // of the collector, http://HOST:4318; https:// with TLS
	Ratio   float64 // of the sends that are followed, 0 to 1
	Node    string  // service.instance.id
	Version string  // service.version
}

// Tracer makes traces. All methods may be called concurrently, also on nil,
// which traces nothing. What a collector does not take in time is dropped; no
// method waits for it.
type Tracer struct {
	ratio    float64
	provider *trace.TracerProvider
	tracer   api.Tracer
}

// New answers a Tracer, whose Run must run for anything to be complete. The
// error says what of cfg cannot work; a collector that cannot be reached is none.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Tracer, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("read address of the collector: %w", err)
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
		trace.WithSampler(trace.AlwaysSample()), // Begin has drawn
		trace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "fechatter"),
			attribute.String("service.version", cfg.Version),
			attribute.String("service.instance.id", cfg.Node),
		)),
	)
	return &Tracer{ratio: cfg.Ratio, provider: provider, tracer: provider.Tracer("fechatter")}, nil
}

// Run waits for the end of ctx, then sends what was seen last and returns nil.
func (t *Tracer) Run(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter has told what it could not send
	return nil
}

// Begin draws whether something new is followed. trace is empty if not; end must
// be called in both cases, with ok, replayed or the code of a problem.
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

// Start begins a part of a trace, and answers the trace as those must carry it
// who are part of this part. The trace must not be empty.
func (t *Tracer) Start(trace, name string, attrs ...Attr) (child string, end func()) {
	if t == nil {
		return trace, func() {}
	}
	ctx, span := t.tracer.Start(parent(trace), name, api.WithSpanKind(api.SpanKindProducer), api.WithAttributes(attributes(attrs)...))
	return carry(ctx), func() { span.End() }
}

// Add tells a part of a trace after it is over. The trace must not be empty.
func (t *Tracer) Add(trace, name string, began, ended time.Time, attrs ...Attr) {
	if t == nil {
		return
	}
	_, span := t.tracer.Start(parent(trace), name, api.WithTimestamp(began), api.WithAttributes(attributes(attrs)...))
	span.End(api.WithTimestamp(ended))
}
