package metrics_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/metrics"
)

// newWatchedClerk is a Clerk that knows org_1, and a client whose calls are counted.
func newWatchedClerk(t *testing.T, m *metrics.Metrics) (*clerktest.Server, *clerk.Client) {
	t.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.AddOrganization("org_1", "Acme Roofing")
	client, err := clerk.New(clerk.Config{
		SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL(), Timeout: 300 * time.Millisecond,
		Transport: m.WatchClerk(clerk.NewTransport()),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return server, client
}

func TestClerk(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	expect(t, scrape(t, m), `claimsync_clerk_requests_total{code="429",operation="push"} 0`) // so that it can increase
	server, client := newWatchedClerk(t, m)
	push := func(fault clerktest.Fault) error {
		server.SetFaults(fault)
		_, err := client.PushMetadata(t.Context(), "org_1", clerk.Metadata{Version: 1})
		return err
	}
	answer := func(status int) clerktest.Fault { return clerktest.Fault{Effect: clerktest.Answer, Status: status} }
	for i, fault := range []clerktest.Fault{answer(429), answer(429), answer(503), {Effect: clerktest.Hang}} {
		if push(fault) == nil {
			t.Fatalf("fault %d passed", i)
		}
	}
	server.ClearFaults()
	if _, err := client.PushMetadata(t.Context(), "org_1", clerk.Metadata{Version: 1}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Organization(t.Context(), "org_1"); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := client.List(t.Context(), clerk.ListParams{}); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, m),
		`claimsync_clerk_requests_total{code="429",operation="push"} 2`,
		`claimsync_clerk_requests_total{code="503",operation="push"} 1`,
		`claimsync_clerk_requests_total{code="none",operation="push"} 1`,
		`claimsync_clerk_requests_total{code="200",operation="push"} 1`,
		`claimsync_clerk_requests_total{code="200",operation="read"} 1`,
		`claimsync_clerk_requests_total{code="200",operation="list"} 1`,
		`claimsync_clerk_request_duration_seconds_count{operation="push"} 5`,
		`claimsync_clerk_request_duration_seconds_bucket{operation="push",le="0.25"} 4`, // all but the one that hung
	)
}

// What the client concludes from the way to Clerk, it concludes through the counter too: nobody was there, so nothing was
// sent.
func TestWatchedClerkIsGone(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	server, client := newWatchedClerk(t, m)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := client.PushMetadata(t.Context(), "org_1", clerk.Metadata{Version: 1})
	failed, ok := err.(*clerk.Error)
	if !ok || failed.Action != clerk.Outage || failed.MaybeApplied {
		t.Errorf("%#v, want an outage in which nothing was sent", err)
	}
	expect(t, scrape(t, m), `claimsync_clerk_requests_total{code="none",operation="push"} 1`)
}

// However many organizations there are, the labels stay the same.
func TestClerkLabelsAreBounded(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	transport := m.WatchClerk(roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	for i := range 50 {
		for _, path := range []string{"/v1/organizations/org_%d", "/v1/organizations/org_%d/metadata", "/v1/users/%d", "/%d"} {
			for _, method := range []string{http.MethodGet, http.MethodPatch, fmt.Sprint("M", i)} {
				request, err := http.NewRequestWithContext(t.Context(), method, "https://clerk.example"+fmt.Sprintf(path, i), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := transport.RoundTrip(request); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	scraped := scrape(t, m)
	if n := strings.Count(scraped, "\nclaimsync_clerk_requests_total{"); n != 3+3 {
		t.Errorf("%d series, want three of 429 and three of 200:\n%s", n, scraped)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// Whoever closes the client's idle connections closes the transport's.
func TestWatchedTransportCloses(t *testing.T) {
	t.Parallel()
	next := &closer{}
	client := http.Client{Transport: metrics.New().WatchClerk(next)}
	client.CloseIdleConnections()
	if !next.closed {
		t.Error("not closed")
	}
}

type closer struct {
	roundTripper
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }
