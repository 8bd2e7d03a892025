package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/metrics"
)

// recordedTracing keeps the spans for the test.
func recordedTracing() (*tracing, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return &tracing{
		provider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)),
		exporter: tracetest.NewNoopExporter(), logger: slog.New(slog.DiscardHandler),
	}, recorder
}

// tracedMonolith is a monolith whose spans are kept, before an emulator whose requests are.
type tracedMonolith struct {
	t        *testing.T
	recorder *tracetest.SpanRecorder
	url      string

	mu    sync.Mutex
	calls []http.Header // of the requests to Clerk
}

func startTraced(t *testing.T) *tracedMonolith {
	t.Helper()
	t.Parallel()
	m := &tracedMonolith{t: t}
	var traces *tracing
	traces, m.recorder = recordedTracing()
	pool, err := db.Open(t.Context(), dbtest.URL(t), traces.tracePool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	client, err := clerk.New(clerk.Config{SecretKey: testKey, BaseURL: m.watchedClerk(), Transport: traces.traceClerk(clerk.NewTransport())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	started, err := startMonolith(t.Context(), monolithConfig{
		pool: pool, clerk: client, rate: rateFlags{RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited},
		riverSchema: db.DefaultRiverSchema, maxWorkers: jobs.DefaultMaxWorkers,
		addr: "127.0.0.1:0", adminToken: testToken, metrics: metrics.New(),
		logger: slog.New(slog.DiscardHandler), tracing: traces,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	m.url = started.url
	return m
}

// watchedClerk returns the URL of an emulator with org_1.
func (m *tracedMonolith) watchedClerk() string {
	m.t.Helper()
	config := clerktest.WithoutLimits()
	config.SecretKey = testKey
	emulator, err := clerktest.Start(config)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = emulator.Close() })
	emulator.AddOrganization("org_1", "One")
	target, err := url.Parse(emulator.URL())
	if err != nil {
		m.t.Fatal(err)
	}
	transport := &http.Transport{}
	m.t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	watching := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.calls = append(m.calls, r.Header.Clone())
		m.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	m.t.Cleanup(watching.Close)
	return watching.URL + strings.TrimPrefix(emulator.BaseURL(), emulator.URL())
}

// do makes a request within the trace, if there is one.
func (m *tracedMonolith) do(method, path, body, traceparent string) {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Authorization", "Bearer "+testToken)
	request.Header.Set("Content-Type", "application/json")
	if traceparent != "" {
		request.Header.Set("Traceparent", traceparent)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode/100 != 2 {
		m.t.Fatalf("%s %s: %s %s, %v", method, path, response.Status, answer, err)
	}
}

// until returns the first span that ended and is the one.
func (m *tracedMonolith) until(what string, is func(sdktrace.ReadOnlySpan) bool) sdktrace.ReadOnlySpan {
	m.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		spans := m.recorder.Ended()
		if i := slices.IndexFunc(spans, is); i >= 0 {
			return spans[i]
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("no span is %s among %s", what, namesOf(spans))
		}
	}
}

func namesOf(spans []sdktrace.ReadOnlySpan) (names []string) {
	for _, span := range spans {
		names = append(names, span.Name())
	}
	return names
}

// below are the names of the spans below one, those of a batch's queries below that.
func (m *tracedMonolith) below(parent sdktrace.ReadOnlySpan) (names []string) {
	for _, span := range m.recorder.Ended() {
		if span.Parent().SpanID() == parent.SpanContext().SpanID() {
			names = append(append(names, span.Name()), m.below(span)...)
		}
	}
	return names
}

func attributeOf(span sdktrace.ReadOnlySpan, key string) string {
	for _, attr := range span.Attributes() {
		if string(attr.Key) == key {
			return attr.Value.String()
		}
	}
	return ""
}

// From a caller's request through its transaction and the job to Clerk: the request is a part of the caller's trace; the
// push is a trace of its own that links to it; each has its queries, and the push its call.
func TestTracedFromRequestToClerk(t *testing.T) {
	m := startTraced(t)
	m.do(http.MethodPost, "/v1/organizations", `{"id":"one","name":"One","clerk_org_id":"org_1"}`, "")
	m.until("the first push", func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "push clerk_organization" })

	const callersTrace, callersSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	m.do(http.MethodPut, "/v1/organizations/one/facts?secret=in-a-query",
		`{"assessments":[{"iso_element":"PURCHASING","status":"PARTIAL","score":50}]}`,
		"00-"+callersTrace+"-"+callersSpan+"-01")
	request := m.until("the request", func(s sdktrace.ReadOnlySpan) bool {
		return s.Name() == "PUT /v1/organizations/{id}/facts"
	})
	if request.SpanContext().TraceID().String() != callersTrace || request.Parent().SpanID().String() != callersSpan {
		t.Errorf("the request's parent is %v, want the caller's", request.Parent())
	}
	if route := attributeOf(request, "http.route"); route != "/v1/organizations/{id}/facts" {
		t.Errorf("http.route is %q", route)
	}
	queries := m.below(request)
	for _, name := range []string{"BEGIN", "OutboxMark", "COMMIT"} {
		if !slices.Contains(queries, name) {
			t.Errorf("the request has no %s: %s", name, queries)
		}
	}

	push := m.until("the push of the request", func(s sdktrace.ReadOnlySpan) bool {
		return s.Name() == "push clerk_organization" && len(s.Links()) == 1 &&
			s.Links()[0].SpanContext.SpanID() == request.SpanContext().SpanID()
	})
	if push.Parent().IsValid() || push.SpanContext().TraceID() == request.SpanContext().TraceID() {
		t.Error("the push is no trace of its own")
	}
	if got := attributeOf(push, "organization_id"); got != "one" || attributeOf(push, "clerk_trace_id") == "" {
		t.Errorf("the push's organization_id is %q: %v", got, push.Attributes())
	}
	done := m.below(push)
	for _, name := range []string{"OrganizationClaims", "PATCH 127.0.0.1", "OutboxAcknowledge"} {
		if !slices.Contains(done, name) {
			t.Errorf("the push has no %s: %s", name, done)
		}
	}
	m.checkSecrecy()
}

// checkSecrecy checks that neither Clerk nor the collector is told what is none of their business.
func (m *tracedMonolith) checkSecrecy() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, header := range m.calls {
		if header.Get("Traceparent") != "" || header.Get("Tracestate") != "" || header.Get("Baggage") != "" {
			m.t.Errorf("Clerk is told of our trace: %v", header)
		}
		if header.Get("Authorization") != "Bearer "+testKey {
			m.t.Error("this is no call of ours")
		}
	}
	if len(m.calls) == 0 {
		m.t.Error("no call was seen")
	}
	for _, span := range m.recorder.Ended() {
		said := fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status())
		if secretIn(said) != "" || strings.Contains(said, "in-a-query") || strings.Contains(said, "certification_tier\":") {
			m.t.Errorf("span %s tells too much: %s", span.Name(), said)
		}
		if arguments := attributeOf(span, "pgx.query.parameters"); arguments != "" {
			m.t.Errorf("span %s tells the arguments %s", span.Name(), arguments)
		}
	}
}

// What is asked for every few seconds, and what a process does by itself, leaves no traces; a stranger's trace is linked,
// and does not become ours.
func TestUntraced(t *testing.T) {
	m := startTraced(t)
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/riverui/"} {
		m.do(http.MethodGet, path, "", "")
	}
	m.do(http.MethodGet, "/v1/organizations", "", "")
	m.until("the list", func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "GET /v1/organizations" })
	for _, span := range m.recorder.Ended() {
		if !span.Parent().IsValid() && span.Name() != "GET /v1/organizations" {
			t.Errorf("a trace of %s", span.Name())
		}
	}
	const stranger = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+"/webhooks/clerk", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Traceparent", stranger)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	span := m.until("the webhook", func(s sdktrace.ReadOnlySpan) bool {
		return attributeOf(s, "url.path") == "/webhooks/clerk"
	})
	if span.Parent().IsValid() || len(span.Links()) != 1 {
		t.Errorf("parent %v, %d links", span.Parent(), len(span.Links()))
	}
}

// A traced transport reports to httptrace as any: a refused connection is an outage, and surely nothing was sent.
func TestTracedCallsAreClassified(t *testing.T) {
	t.Parallel()
	traces, recorder := recordedTracing()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + listener.Addr().String()
	_ = listener.Close()
	resetting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(resetting.Close)
	for baseURL, want := range map[string]clerk.Action{refusing: clerk.Outage, resetting.URL: clerk.Ambiguous} {
		client, err := clerk.New(clerk.Config{SecretKey: testKey, BaseURL: baseURL, Transport: traces.traceClerk(clerk.NewTransport())})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.PushMetadata(t.Context(), "org_1", clerk.Metadata{Version: 1})
		failed, ok := err.(*clerk.Error)
		if !ok || failed.Action != want || failed.MaybeApplied != (want == clerk.Ambiguous) {
			t.Errorf("got %+v, want %s", err, want)
		}
		client.CloseIdleConnections()
	}
	if spans := recorder.Ended(); len(spans) != 2 || secretIn(fmt.Sprint(spans[0].Status(), spans[1].Status())) != "" {
		t.Errorf("spans: %s", namesOf(spans))
	}
}

// A traced client closes its connections as any.
func TestTracedConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	traces, _ := recordedTracing()
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client, err := clerk.New(clerk.Config{SecretKey: testKey, BaseURL: server.URL, Transport: traces.traceClerk(clerk.NewTransport())})
	if err != nil {
		t.Fatal(err)
	}
	if _, receipt, _ := client.Organization(t.Context(), "org_1"); receipt.Status != http.StatusNotFound {
		t.Fatalf("status %d", receipt.Status)
	}
	client.CloseIdleConnections()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection stays open")
	}
}

// Off, nothing is wrapped.
func TestTracingOff(t *testing.T) {
	t.Parallel()
	off, err := startTracing(t.Context(), func(string) string { return "" }, io.Discard, slog.New(slog.DiscardHandler))
	if off != nil || err != nil {
		t.Fatalf("%v, %v", off, err)
	}
	defer off.stop()
	handler, transport := http.NotFoundHandler(), http.DefaultTransport
	config, err := db.Config("postgres://x@127.0.0.1/x")
	if err != nil {
		t.Fatal(err)
	}
	off.tracePool(config)
	if off.tracerProvider() != nil || off.traceClerk(transport) != transport || config.ConnConfig.Tracer != nil ||
		fmt.Sprintf("%p", off.traceRequests(handler, nil)) != fmt.Sprintf("%p", handler) {
		t.Error("something is instrumented")
	}
}

// What the standard variables ask for.
func TestChosenExporter(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"
	tests := map[string]struct {
		environment []string
		want        string
		refused     string
	}{
		"nothing":                  {nil, exporterNone, ""},
		"a collector":              {[]string{endpoint}, exporterOTLP, ""},
		"a collector of traces":    {[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://collector/x"}, exporterOTLP, ""},
		"otlp, where it always is": {[]string{"OTEL_TRACES_EXPORTER=otlp"}, exporterOTLP, ""},
		"console":                  {[]string{"OTEL_TRACES_EXPORTER=console"}, exporterConsole, ""},
		"console before collector": {[]string{endpoint, "OTEL_TRACES_EXPORTER=console"}, exporterConsole, ""},
		"none":                     {[]string{endpoint, "OTEL_TRACES_EXPORTER=none"}, exporterNone, ""},
		"disabled":                 {[]string{endpoint, "OTEL_TRACES_EXPORTER=otlp", "OTEL_SDK_DISABLED=True"}, exporterNone, ""},
		"not disabled":             {[]string{endpoint, "OTEL_SDK_DISABLED=false"}, exporterOTLP, ""},
		"protocol":                 {[]string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, exporterOTLP, ""},
		"grpc":                     {[]string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "", `must be http/protobuf, got "grpc"`},
		"grpc for traces":          {[]string{endpoint, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"}, "", `must be http/protobuf, got "grpc"`},
		"another exporter":         {[]string{"OTEL_TRACES_EXPORTER=zipkin"}, "", `must be otlp, console or none, got "zipkin"`},
		"no URL":                   {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"}, "", "must be the collector's URL"},
		"a URL with a password":    {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=ftp://u:hunter2@h"}, "", "must be the collector's URL"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chosenExporter(func(name string) string {
				for _, variable := range test.environment {
					if value, found := strings.CutPrefix(variable, name+"="); found {
						return value
					}
				}
				return ""
			})
			if test.refused == "" && (err != nil || got != test.want) {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			if test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)) {
				t.Errorf("got %v, want one that says %q", err, test.refused)
			}
		})
	}
	key := "CLERK_SECRET_KEY=" + testKey
	got := runApp(t, t.Context(), "", []string{key, "OTEL_TRACES_EXPORTER=zipkin"}, "serve")
	if got.code != exitUsage || !strings.Contains(got.stderr, "OTEL_TRACES_EXPORTER") {
		t.Errorf("serve: %+v", got)
	}
}

// Traces on standard output.
func TestTracesOnConsole(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	getenv := func(name string) string {
		return map[string]string{"OTEL_TRACES_EXPORTER": exporterConsole}[name]
	}
	traces, err := startTracing(t.Context(), getenv, &out, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := traces.provider.Tracer("test").Start(context.Background(), "told", trace.WithSpanKind(trace.SpanKindServer))
	span.End()
	traces.stop()
	if !strings.Contains(out.String(), `"Name":"told"`) || !strings.Contains(out.String(), "claimsync") {
		t.Errorf("printed: %s", &out)
	}
}
