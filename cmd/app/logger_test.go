package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Durations have a unit, for people and for machines.
func TestDurationsAreReadable(t *testing.T) {
	t.Parallel()
	for duration, want := range map[time.Duration]string{
		0:                                 "0s",
		999 * time.Nanosecond:             "999ns",
		12_345_678 * time.Nanosecond:      "12.3ms",
		999_999 * time.Microsecond:        "1s",
		-1234 * time.Millisecond:          "-1.23s",
		83_456 * time.Millisecond:         "1m23.5s",
		24*time.Hour + 59*time.Nanosecond: "24h0m0s",
	} {
		for format, in := range map[string]string{"json": `"duration":"` + want + `"`, "tint": "duration=" + want} {
			var out bytes.Buffer
			newLogger(&out, format, "info").With("topic", "t").Info("Delivered", "duration", duration)
			if !strings.Contains(out.String(), in) {
				t.Errorf("%s in %s: %s", duration, format, &out)
			}
		}
	}
}

// A line that belongs to a span which is recorded leads to it.
func TestLinesLeadToTheirSpans(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := newLogger(&out, "json", "info").With("a", 1).WithGroup("")
	ctx, span := sdktrace.NewTracerProvider().Tracer("").Start(t.Context(), "")
	logger.LogAttrs(ctx, slog.LevelInfo, "inside")
	want := `"trace_id":"` + span.SpanContext().TraceID().String() + `","span_id":"` + span.SpanContext().SpanID().String() + `"`
	if !strings.Contains(out.String(), want) {
		t.Errorf("inside: %s", &out)
	}
	out.Reset()
	logger.InfoContext(t.Context(), "outside")
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	ctx, _ = never.Tracer("").Start(t.Context(), "")
	logger.InfoContext(ctx, "in a span that nobody keeps")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("outside: %s", &out)
	}
}
