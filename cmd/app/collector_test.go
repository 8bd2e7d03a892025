package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"

	"github.com/claimsync/claimsync/internal/logtest"
)

// collector keeps what it is sent. Protobuf has texts as they are, so they can be looked for.
type collector struct {
	mu   sync.Mutex
	sent strings.Builder
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.Write(body)
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.String()
}

// hanging returns the URL of a collector that does not answer.
func hanging(t *testing.T) string {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(ended); server.Close() })
	return server.URL
}

// The standard variables are enough: a collector has the spans once the process has ended.
func TestServeSendsTraces(t *testing.T) {
	i := install(t, 5)
	got := &collector{}
	server := httptest.NewServer(got)
	t.Cleanup(server.Close)
	i.environment = append(i.environment, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL,
		"OTEL_SERVICE_NAME=claims-of-the-test", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=here")
	p := i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	p.Signal(syscall.SIGTERM)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, text := range []string{
		"claims-of-the-test", "service.version", "deployment.environment.name", "push clerk_organization", "OutboxClaim", "PATCH 127.0.0.1",
		"GET /v1/organizations/{id}",
	} {
		if !strings.Contains(got.text(), text) {
			t.Errorf("the collector is not told %q", text)
		}
	}
	if secret := secretIn(got.text()); secret != "" {
		t.Errorf("the collector is told %q", secret)
	}
	if log := p.Log(); !strings.Contains(log, `"trace_id":"`) || strings.Contains(log, "are lost") {
		t.Errorf("log: %s", p.Notable(2000))
	}
}

// A collector that does not answer slows nothing down, and a stop only as long as is bearable.
func TestServeBesideAHangingCollector(t *testing.T) {
	i := install(t, 5)
	i.environment = append(i.environment, "OTEL_EXPORTER_OTLP_ENDPOINT="+hanging(t), "OTEL_BSP_SCHEDULE_DELAY=1")
	p := i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	p.Signal(syscall.SIGTERM)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.Log(), "The last traces are lost") {
		t.Errorf("the log does not tell: %s", p.Log())
	}
}

// Many times as many spans as there is room for cost no waiting, whatever becomes of them; the log tells once.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.NotFoundHandler())
	refusing.Close()
	for name, test := range map[string]struct{ url, said string }{
		"hangs":   {hanging(t), "The last traces are lost"},
		"refuses": {refusing.URL, "Traces are lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(test.url))
			if err != nil {
				t.Fatal(err)
			}
			var said logtest.Journal
			traces, err := newTracing(t.Context(), exporter, newLogger(&said, "json", "info"))
			if err != nil {
				t.Fatal(err)
			}
			tracer := traces.provider.Tracer("test")
			started := time.Now()
			for range 20_000 {
				_, span := tracer.Start(t.Context(), "span")
				span.End()
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("20,000 spans took %s", took)
			}
			started = time.Now()
			traces.stop()
			if took := time.Since(started); took > flushTimeout+5*time.Second {
				t.Errorf("stopping took %s", took)
			}
			if strings.Count(said.String(), test.said) != 1 {
				t.Errorf("said:\n%s", &said)
			}
		})
	}
}
