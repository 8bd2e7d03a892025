package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync/outbox"
)

// traced has the fleet's pushes recorded.
func (f *fleet) traced(options ...sdktrace.TracerProviderOption) (*tracetest.SpanRecorder, trace.Tracer) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(append(options, sdktrace.WithSpanProcessor(recorder))...)
	f.config.TracerProvider = provider
	return recorder, provider.Tracer("test")
}

// markIn marks a key in a span of the caller's.
func (f *fleet) markIn(ctx context.Context, key string) {
	f.t.Helper()
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		return f.config.Outbox.MarkTx(ctx, tx, f.waker, topic, outbox.PriorityLive, key)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// ended returns the spans of a name, once there are so many.
func (f *fleet) ended(recorder *tracetest.SpanRecorder, name string, n int) (spans []sdktrace.ReadOnlySpan) {
	f.t.Helper()
	f.until(fmt.Sprint(n, " spans called ", name), func() bool {
		spans = slices.DeleteFunc(recorder.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
		return len(spans) >= n
	})
	return spans
}

func attributesOf(span sdktrace.ReadOnlySpan) map[string]string {
	attributes := map[string]string{}
	for _, attr := range span.Attributes() {
		attributes[string(attr.Key)] = attr.Value.String()
	}
	return attributes
}

// A push is a trace of its own with a link to what caused its job, at each attempt; what failed says so.
func TestPushIsTraced(t *testing.T) {
	first := true
	var inside trace.SpanContext
	f := newFleet(t, func(ctx context.Context, _ string, _ int64) (outbox.Receipt, error) {
		inside = trace.SpanContextFromContext(ctx)
		receipt := outbox.Receipt{Status: 200, LogAttrs: []slog.Attr{slog.String("owner_id", "o1")}}
		if first {
			first = false
			return receipt, &outbox.Failure{Action: outbox.Retry, Receipt: receipt, Err: errors.New("busy")}
		}
		return receipt, nil
	})
	recorder, tracer := f.traced()
	ctx, request := tracer.Start(t.Context(), "request")
	f.markIn(ctx, "a")
	request.End()
	f.start()
	f.untilClean("a")
	pushes := f.ended(recorder, "push "+topic, 2)
	for n, push := range pushes {
		if push.Parent().IsValid() || push.SpanContext().TraceID() == request.SpanContext().TraceID() {
			t.Errorf("push %d is a part of another trace", n)
		}
		if links := push.Links(); len(links) != 1 || links[0].SpanContext.TraceID() != request.SpanContext().TraceID() ||
			links[0].SpanContext.SpanID() != request.SpanContext().SpanID() {
			t.Errorf("push %d links to %v, want the request", n, links)
		}
		if push.SpanKind() != trace.SpanKindConsumer {
			t.Errorf("push %d is of kind %s", n, push.SpanKind())
		}
		got := attributesOf(push)
		want := map[string]string{
			"messaging.system": "river", "messaging.destination.name": topic, "messaging.operation.name": "push",
			"messaging.operation.type": "process", "outbox.key": "a", "outbox.version": "1", "outbox.attempt": "1",
			"outbox.outcome": []string{"retry", "applied"}[n], "owner_id": "o1",
			"messaging.message.id": fmt.Sprint(f.count("SELECT id FROM river.river_job")),
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("push %d: %s is %q, want %q", n, key, got[key], value)
			}
		}
	}
	if status := pushes[0].Status(); status.Code != codes.Error || status.Description != "busy" {
		t.Errorf("the push that failed: %v", status)
	}
	if status := pushes[1].Status(); status.Code != codes.Unset {
		t.Errorf("the push that did not fail: %v", status)
	}
	if !inside.Equal(pushes[1].SpanContext()) {
		t.Error("the destination is not called within the push's span")
	}
}

// What breaks, verifications and probes have spans too.
func TestOtherSpans(t *testing.T) {
	first := true
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) {
		if first {
			first = false
			return outbox.Receipt{}, errors.New("out of paper")
		}
		return outbox.Receipt{Status: 200}, nil
	})
	recorder, _ := f.traced()
	f.start()
	f.mark("a")
	f.untilClean("a")
	pushes := f.ended(recorder, "push "+topic, 2)
	if status := pushes[0].Status(); status.Code != codes.Error || status.Description != "out of paper" {
		t.Errorf("the push that broke: %v", status)
	}
	if len(pushes[0].Links()) != 0 {
		t.Error("a push that no span has caused links to one")
	}
	f.exec("UPDATE outbox SET verify_at = clock_timestamp(), doubted_at = clock_timestamp()")
	verified := f.ended(recorder, "verify "+topic, 1)[0]
	if got := attributesOf(verified); got["messaging.operation.name"] != "verify" || got["outbox.outcome"] != "verified" {
		t.Errorf("verification: %v", got)
	}
	if err := openBreaker(f); err != nil {
		t.Fatal(err)
	}
	f.mark("a")
	f.until("a claim finds the breaker open", func() bool {
		return slices.ContainsFunc(recorder.Ended(), func(s sdktrace.ReadOnlySpan) bool {
			return attributesOf(s)["outbox.outcome"] == string(outbox.Open)
		})
	})
	f.probeNow()
	f.until("the probe is applied", func() bool {
		return slices.ContainsFunc(recorder.Ended(), func(s sdktrace.ReadOnlySpan) bool {
			got := attributesOf(s)
			return got["outbox.probe"] == "true" && got["outbox.outcome"] == "applied" && !s.Parent().IsValid()
		})
	})
}

// A push whose result could not be recorded failed too.
func TestUnrecordedPushIsTraced(t *testing.T) {
	var f *fleet
	f = newFleet(t, func(ctx context.Context, _ string, _ int64) (outbox.Receipt, error) {
		_, err := f.pool.Exec(ctx, "ALTER TABLE outbox_delivery RENAME TO elsewhere")
		return outbox.Receipt{Status: 200}, err
	})
	recorder, _ := f.traced()
	f.start()
	f.mark("a")
	push := f.ended(recorder, "push "+topic, 1)[0]
	if status := push.Status(); status.Code != codes.Error || !strings.Contains(status.Description, "outbox_delivery") {
		t.Errorf("status: %v", status)
	}
}

// openBreaker opens it as an outage does, so that it is probed.
func openBreaker(f *fleet) error {
	_, err := f.pool.Exec(f.t.Context(), `INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at, probes)
		VALUES ($1, clock_timestamp(), 'outage', 'test', clock_timestamp() + interval '1 hour', 0)
		ON CONFLICT (topic) DO UPDATE SET opened_at = EXCLUDED.opened_at, open_cause = EXCLUDED.open_cause,
			open_reason = EXCLUDED.open_reason, probe_at = EXCLUDED.probe_at, probes = 0`, topic)
	return err
}

// A job remembers a span only if somebody keeps that. What else is in the metadata is no hindrance.
func TestCauseInMetadata(t *testing.T) {
	f := newFleet(t, func(context.Context, string, int64) (outbox.Receipt, error) { return outbox.Receipt{Status: 200}, nil })
	recorder, tracer := f.traced()
	_, unsampled := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("").Start(t.Context(), "")
	f.mark("none")
	f.markIn(trace.ContextWithSpan(t.Context(), unsampled), "unsampled")
	ctx, request := tracer.Start(t.Context(), "request")
	defer request.End()
	f.markIn(ctx, "sampled")
	metadata := func(key string) (text string) {
		err := f.pool.QueryRow(t.Context(), "SELECT metadata::text FROM river.river_job WHERE args->>'key' = $1", key).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, key := range []string{"none", "unsampled"} {
		if got := metadata(key); got != "{}" {
			t.Errorf("%s: metadata %s", key, got)
		}
	}
	span := request.SpanContext()
	if want := fmt.Sprintf(`{"traceparent": "00-%s-%s-01"}`, span.TraceID(), span.SpanID()); metadata("sampled") != want {
		t.Errorf("metadata %s, want %s", metadata("sampled"), want)
	}
	f.exec(`UPDATE river.river_job SET metadata = metadata || '{"snoozes": 3}' WHERE args->>'key' = 'sampled'`)
	f.exec(`UPDATE river.river_job SET metadata = '{"traceparent": {"not": "ours"}}' WHERE args->>'key' = 'none'`)
	f.exec(`UPDATE river.river_job SET metadata = '{"traceparent": "00-nonsense"}' WHERE args->>'key' = 'unsampled'`)
	f.start()
	f.untilClean("none", "unsampled", "sampled")
	for _, push := range f.ended(recorder, "push "+topic, 3) {
		links := len(push.Links())
		if sampled := slices.Contains(push.Attributes(), attribute.String("outbox.key", "sampled")); sampled != (links == 1) {
			t.Errorf("%v: %d links", attributesOf(push)["outbox.key"], links)
		}
	}
}
