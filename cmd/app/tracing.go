package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync"
)

// flushTimeout bounds what a stop waits for the last spans to be taken.
const flushTimeout = 2 * time.Second

// The exporters, as OTEL_TRACES_EXPORTER names them.
const (
	exporterNone    = "none"
	exporterConsole = "console"
	exporterOTLP    = "otlp"
)

// tracing is OpenTelemetry's traces of this process. Nil is none: nothing is instrumented then, so it costs nothing.
//
// Whether and where to is read here. All else, such as OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER or the headers of the
// exporter, the SDK reads by itself from the process's environment.
//
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
type tracing struct {
	provider *sdktrace.TracerProvider
	exporter sdktrace.SpanExporter
	logger   *slog.Logger
}

// startTracing returns nil if the environment asks for no traces.
func startTracing(
	ctx context.Context, getenv func(string) string, stdout io.Writer, logger *slog.Logger,
) (*tracing, error) {
	name, err := chosenExporter(getenv)
	if err != nil || name == exporterNone {
		return nil, err
	}
	exporter, err := newExporter(ctx, name, stdout)
	if err != nil {
		return nil, err
	}
	return newTracing(ctx, exporter, logger)
}

// chosenExporter is the one that is asked for by name, or by saying where the collector is.
func chosenExporter(getenv func(string) string) (string, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return exporterNone, nil
	}
	endpoint := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	switch name := getenv("OTEL_TRACES_EXPORTER"); {
	case name == exporterNone, name == exporterConsole:
		return name, nil
	case name == "" && endpoint == "":
		return exporterNone, nil
	case name != "" && name != exporterOTLP:
		return "", usage("OTEL_TRACES_EXPORTER must be %s, %s or %s, got %q", exporterOTLP, exporterConsole, exporterNone, name)
	}
	protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		return "", usage("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, got %q", protocol)
	}
	return exporterOTLP, checkEndpoint(endpoint)
}

// checkEndpoint refuses what the SDK would silently send to localhost instead. The URL may hold a password, so it is not
// repeated.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil // http://localhost:4318
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usage("OTEL_EXPORTER_OTLP_ENDPOINT must be the collector's URL, as http://127.0.0.1:4318")
	}
	return nil
}

func newExporter(ctx context.Context, name string, stdout io.Writer) (sdktrace.SpanExporter, error) {
	if name == exporterConsole {
		return stdouttrace.New(stdouttrace.WithWriter(stdout))
	}
	return otlptracehttp.New(ctx)
}

// newTracing batches spans, and drops those for which there is no room: nothing waits for a collector.
func newTracing(ctx context.Context, exporter sdktrace.SpanExporter, logger *slog.Logger) (*tracing, error) {
	// What comes later wins.
	described, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("claimsync"), semconv.ServiceVersion(claimsync.BuiltVersion())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, usage("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(described), sdktrace.WithBatcher(&reportingExporter{SpanExporter: exporter, logger: logger}))
	return &tracing{provider: provider, exporter: exporter, logger: logger}, nil
}

// tracerProvider is for the libraries, which look at no global one.
func (t *tracing) tracerProvider() trace.TracerProvider {
	if t == nil {
		return nil
	}
	return t.provider
}

// stop hands over what is left, for as long as is reasonable.
func (t *tracing) stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.logger.Warn("The last traces are lost: the collector does not take them", "err", err)
		_ = t.exporter.Shutdown(ctx) // ends the call under way; the error is ctx's again
	}
}

// reportingExporter says in our log when a collector fails and when it works again, instead of a line per batch on
// standard error, which is what the SDK would write. It is called by one goroutine at a time.
type reportingExporter struct {
	sdktrace.SpanExporter
	logger  *slog.Logger
	failing bool
}

// ExportSpans implements sdktrace.SpanExporter. The spans of a failure are lost, and that is all.
func (e *reportingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !e.failing:
		e.logger.Warn("Traces are lost: the collector does not take them", "err", err)
	case err == nil && e.failing:
		e.logger.Info("The collector takes traces again")
	}
	e.failing = err != nil
	return nil
}
