package clerk_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// No answer, and the question whether the request had been sent.

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	for effect, applied := range map[clerktest.Effect]int{clerktest.ResetBefore: 0, clerktest.ResetAfter: 1} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.SetFaults(clerktest.Fault{Effect: effect})
			client := connect(t, server.BaseURL())
			_, err := client.PushMetadata(t.Context(), "org_1", full(1))
			failed := failure(t, err)
			if failed.Action != clerk.Ambiguous || !failed.MaybeApplied || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%v", err)
			}
			if got := len(server.Writes()); got != applied {
				t.Errorf("%d writes", got)
			}
			_, _, err = client.Organization(t.Context(), "org_1")
			if failed := failure(t, err); failed.Action != clerk.Outage || failed.MaybeApplied {
				t.Errorf("read: %v", err)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	hasty := connect(t, server.BaseURL(), func(c *clerk.Config) { c.Timeout = 200 * time.Millisecond })
	receipt, err := hasty.PushMetadata(t.Context(), "org_1", full(1))
	failed := failure(t, err)
	if failed.Action != clerk.Ambiguous || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the client's deadline: %v", err)
	}
	if receipt.Status != 0 || receipt.Duration < 200*time.Millisecond {
		t.Errorf("receipt %+v", receipt)
	}
	if _, _, err := hasty.Organization(t.Context(), "org_1"); failure(t, err).Action != clerk.Outage {
		t.Errorf("read: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = connect(t, server.BaseURL()).PushMetadata(ctx, "org_1", full(1))
	if failed := failure(t, err); failed.Action != clerk.Ambiguous || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
}

// A 200 whose body never comes is bounded by the same deadline.
func TestTimeoutInTheBody(t *testing.T) {
	t.Parallel()
	url := serveRaw(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
	hasty := connect(t, url, func(c *clerk.Config) { c.Timeout = 500 * time.Millisecond })
	_, err := hasty.PushMetadata(t.Context(), "org_1", full(1))
	if failed := failure(t, err); failed.Action != clerk.Ambiguous || failed.Status != http.StatusOK {
		t.Error(err)
	}
}

func TestCancelledByTheCaller(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	client := connect(t, server.BaseURL())

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = server.WaitFor(ctx, func() bool { return len(server.Requests()) == 1 })
		cancel()
	}()
	_, err := client.PushMetadata(ctx, "org_1", full(1))
	failed := failure(t, err)
	if failed.Action != clerk.Ambiguous || !errors.Is(err, context.Canceled) {
		t.Errorf("in flight: %v", err)
	}
	_, err = client.PushMetadata(ctx, "org_1", full(1))
	failed = failure(t, err)
	if failed.Action != clerk.Retry || !errors.Is(err, context.Canceled) || failed.MaybeApplied {
		t.Errorf("before: %v", err)
	}
	if got := len(server.Requests()); got != 1 {
		t.Errorf("%d requests", got)
	}
}

// stopped is the context of a process that was stopped beyond its deadline, and goes on before the timer has fired.
type stopped struct{ context.Context }

func (stopped) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// What is out of date is not sent any more.
func TestNotSentAfterTheDeadline(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	_, err := client.PushMetadata(stopped{t.Context()}, "org_1", full(1))
	failed := failure(t, err)
	if failed.Action != clerk.Retry || failed.MaybeApplied || len(server.Requests()) != 0 {
		t.Errorf("%v, %d requests", err, len(server.Requests()))
	}
}

// What was surely never sent is an outage, and not ambiguous.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	stuck := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "api.clerk.invalid", IsNotFound: true}
	}
	for name, test := range map[string]struct {
		dial func(context.Context, string, string) (net.Conn, error)
		is   error
	}{
		"refused":  {(&net.Dialer{}).DialContext, syscall.ECONNREFUSED},
		"no DNS":   {unknown, nil},
		"no route": {stuck, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, closedPort(t), func(c *clerk.Config) {
				c.Transport, c.Timeout = &http.Transport{DialContext: test.dial}, 500*time.Millisecond
			})
			_, err := client.PushMetadata(t.Context(), "org_1", full(1))
			failed := failure(t, err)
			if failed.Action != clerk.Outage || failed.MaybeApplied {
				t.Errorf("%v", err)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
		})
	}
	t.Run("cancelled while dialing", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			cancel()
			return stuck(ctx, network, address)
		}
		client := connect(t, closedPort(t), func(c *clerk.Config) { c.Transport = &http.Transport{DialContext: dial} })
		_, err := client.PushMetadata(ctx, "org_1", full(1))
		if failed := failure(t, err); failed.Action != clerk.Retry || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A transport that tells nothing about its connections gets no benefit of the doubt.
func TestUntracedTransport(t *testing.T) {
	t.Parallel()
	client := connect(t, "http://localhost/v1", func(c *clerk.Config) { c.Transport = brokenTransport{} })
	if _, err := client.PushMetadata(t.Context(), "org_1", full(1)); failure(t, err).Action != clerk.Ambiguous {
		t.Error(err)
	}
}

type brokenTransport struct{}

func (brokenTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("broken")
}

// closedPort returns a URL where nothing listens.
func closedPort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return "http://" + listener.Addr().String() + "/v1"
}
