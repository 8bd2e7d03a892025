package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/term"
)

// newLogger logs to w: for people if it is a terminal, else for machines. format and level are as the flags allow.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // the flag's enum allows nothing else
	if format == "tint" || format == "auto" && isTerminal(w) {
		options := &tint.Options{Level: least, TimeFormat: time.TimeOnly, NoColor: !isTerminal(w), ReplaceAttr: readable}
		return slog.New(spanHandler{tint.NewTextHandler(w, options)})
	}
	return slog.New(spanHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least, ReplaceAttr: readable})})
}

// readable writes durations with their unit and to three digits: slog's JSON would have nanoseconds.
func readable(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(rounded(attr.Value.Duration()).String())
	}
	return attr
}

func rounded(d time.Duration) time.Duration {
	unit := time.Nanosecond
	for d.Abs()/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// spanHandler adds to a line the ids of the span that it belongs to, if that is recorded.
type spanHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h spanHandler) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() && span.IsSampled() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h spanHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return spanHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h spanHandler) WithGroup(name string) slog.Handler {
	return spanHandler{h.Handler.WithGroup(name)}
}

// isTerminal reports whether a person is at the other end of the stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
