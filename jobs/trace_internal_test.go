package jobs

import (
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync/outbox"
)

// A push is the root of a trace, also in a process that was started within a span.
func TestPushIsNoPartOfTheProcess(t *testing.T) {
	t.Parallel()
	provider := sdktrace.NewTracerProvider()
	config := Config{TracerProvider: provider}.withDefaults()
	ctx, start := provider.Tracer("").Start(t.Context(), "starting the process")
	a := &attempt{config: &config, lease: outbox.Lease{Topic: "t", Key: "k"}}
	ctx = a.begin(ctx)
	if trace.SpanContextFromContext(ctx).TraceID() == start.SpanContext().TraceID() {
		t.Error("it is")
	}
}

// Without a provider nothing is allocated for traces: neither where a job is inserted nor where it is worked.
func TestNoTracesCostNothing(t *testing.T) {
	config := Config{}.withDefaults()
	a := &attempt{config: &config, job: &deliveryJob{}, lease: outbox.Lease{Topic: "t", Key: "k"}}
	ctx := t.Context()
	allocated := testing.AllocsPerRun(100, func() {
		if metadata, err := causeMetadata(ctx); metadata != nil || err != nil {
			t.Errorf("metadata %s, %v", metadata, err)
		}
		if a.begin(ctx) != ctx || a.resume(ctx, outbox.Claimed) != ctx {
			t.Error("the context is another")
		}
		a.describe("applied", outbox.Receipt{}, nil)
		a.notClaimed(outbox.Clean, nil)
	})
	if allocated != 0 {
		t.Errorf("%v allocations, want none", allocated)
	}
}
