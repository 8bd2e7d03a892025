package jobs

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/claimsync/claimsync/outbox"
)

// tracerName is the instrumentation scope of our spans.
const tracerName = "github.com/claimsync/claimsync/jobs"

// The operations, by which spans are called.
const (
	pushes   = "push"
	verifies = "verify"
)

// traceparent is the key in a job's metadata under which the span that caused it is, in the form of the W3C's header.
//
// https://www.w3.org/TR/trace-context/#traceparent-header
const traceparent = "traceparent"

// causeMetadata is the metadata of a job that ctx's span causes: its pushes then lead back to that. Nil: there is no
// span, or none that anybody keeps, and the job is as it would be without tracing.
func causeMetadata(ctx context.Context) ([]byte, error) {
	if cause := trace.SpanContextFromContext(ctx); !cause.IsValid() || !cause.IsSampled() {
		return nil, nil
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return json.Marshal(map[string]string{traceparent: carrier[traceparent]})
}

// causeOf returns the span that caused the job. What others have put into the metadata is none of our business.
func causeOf(job *deliveryJob) trace.SpanContext {
	var metadata struct {
		Traceparent string `json:"traceparent"`
	}
	if json.Unmarshal(job.Metadata, &metadata) != nil {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{traceparent: metadata.Traceparent}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// begin begins the span of the attempt, which is about to claim its row, and returns ctx with it. It is the root of a
// trace and not a part of its cause's: that one ended long ago, maybe hours, and one push may carry the changes of many.
func (a *attempt) begin(ctx context.Context) context.Context {
	if a.config.tracer == nil {
		a.span = noop.Span{}
		return ctx
	}
	ctx, a.span = a.config.tracer.Start(ctx, pushes+" "+a.lease.Topic, a.spanOptions()...)
	return ctx
}

// resume returns ctx with the span that the claim has begun, called by what is to be done.
func (a *attempt) resume(ctx context.Context, verdict outbox.Verdict) context.Context {
	if a.config.tracer == nil {
		return ctx
	}
	if verdict == outbox.Unverified {
		a.span.SetName(verifies + " " + a.lease.Topic)
		a.span.SetAttributes(semconv.MessagingOperationName(verifies))
	}
	return trace.ContextWithSpan(ctx, a.span)
}

func (a *attempt) spanOptions() []trace.SpanStartOption {
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemKey.String("river"), semconv.MessagingDestinationName(a.lease.Topic),
		semconv.MessagingOperationName(pushes), semconv.MessagingOperationTypeProcess,
		attribute.String("outbox.key", a.lease.Key),
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer)}
	if a.job == nil {
		attributes = append(attributes, attribute.Bool("outbox.probe", true))
		return append(options, trace.WithAttributes(attributes...))
	}
	attributes = append(attributes,
		semconv.MessagingMessageID(strconv.FormatInt(a.job.ID, 10)), attribute.Int("outbox.attempt", a.job.Attempt))
	if cause := causeOf(a.job); cause.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: cause}))
	}
	return append(options, trace.WithAttributes(attributes...))
}

// notClaimed ends the span of an attempt that came to nothing: its row was not to be had.
func (a *attempt) notClaimed(verdict outbox.Verdict, err error) {
	if a.span.IsRecording() {
		a.span.SetAttributes(attribute.String("outbox.outcome", string(verdict)))
		a.failSpan(err)
	}
	a.span.End()
}

// describe says in the span how the attempt ended.
func (a *attempt) describe(outcome string, receipt outbox.Receipt, failure error) {
	if !a.span.IsRecording() {
		return
	}
	attributes := []attribute.KeyValue{
		attribute.String("outbox.outcome", outcome), attribute.Int64("outbox.version", a.lease.Version),
	}
	for _, attr := range receipt.LogAttrs {
		attributes = append(attributes, attributeOf(attr))
	}
	a.span.SetAttributes(attributes...)
	a.failSpan(failure)
}

func attributeOf(attr slog.Attr) attribute.KeyValue {
	return attribute.String(attr.Key, attr.Value.Resolve().String())
}

func (a *attempt) failSpan(err error) {
	if err != nil {
		a.span.SetStatus(codes.Error, err.Error())
	}
}
