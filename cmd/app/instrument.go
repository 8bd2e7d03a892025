package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// tracePool has each query traced that is part of a request or a push. What a process does all the time beside those, as
// River's looking for jobs, has no span to be a part of, and gets none. Queries are told without their arguments.
func (t *tracing) tracePool(config *pgxpool.Config) {
	if t == nil {
		return
	}
	config.ConnConfig.Tracer = otelpgx.NewTracer(
		otelpgx.WithTracerProvider(t.provider), otelpgx.WithSpanNameCtxFunc(queryName),
		// They are the same for all, and would be copied for each.
		otelpgx.WithDisableConnectionDetailsInAttributes(),
		otelpgx.WithTracerAttributes(semconv.DBNamespace(config.ConnConfig.Database)))
}

// queryName is sqlc's name of the query, or its first word.
func queryName(ctx context.Context, query string) string {
	if rest, named := strings.CutPrefix(query, "-- name: "); named {
		name, _, _ := strings.Cut(rest, " ")
		return name
	}
	return otelpgx.SQLOperationName(ctx, query)
}

// traceClerk has the calls to Clerk traced that next makes. Clerk is not told the ids of our traces: it would do nothing
// with them, and they are nobody else's business.
func (t *tracing) traceClerk(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	nothing := propagation.NewCompositeTextMapPropagator()
	return &tracedTransport{
		RoundTripper: otelhttp.NewTransport(next, otelhttp.WithTracerProvider(t.provider),
			otelhttp.WithPropagators(nothing), otelhttp.WithSpanNameFormatter(callName)),
		next: next,
	}
}

func callName(_ string, r *http.Request) string { return r.Method + " " + r.URL.Hostname() }

// tracedTransport has what otelhttp's hides.
type tracedTransport struct {
	http.RoundTripper
	next http.RoundTripper
}

// CloseIdleConnections lets http.Client reach the transport's.
func (t *tracedTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// traceRequests has the requests traced; those that admitted admits as parts of their callers' traces. The trace of anybody
// else is only linked, and does not decide whether this one is recorded.
func (t *tracing) traceRequests(handler http.Handler, admitted func(*http.Request) bool) http.Handler {
	if t == nil {
		return handler
	}
	return otelhttp.NewHandler(withRoute(handler), "request",
		otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(worthTracing),
		otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !admitted(r) }))
}

// worthTracing leaves out what machines ask for every few seconds, and River UI's pages do.
func worthTracing(r *http.Request) bool {
	switch r.URL.Path {
	case "/livez", "/readyz", "/metrics":
		return false
	}
	return !strings.HasPrefix(r.URL.Path, "/riverui/")
}

// withRoute adds the route's pattern to the span, which otelhttp puts only into its name.
func withRoute(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if _, route, found := strings.Cut(r.Pattern, " "); found {
			trace.SpanFromContext(r.Context()).SetAttributes(semconv.HTTPRoute(route))
		}
	})
}
