package metrics

import (
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What Clerk is called for, as far as claimsync does. Paths would have the ids of organizations.
const (
	operationPush  = "push"
	operationRead  = "read"
	operationList  = "list"
	operationOther = "other"
)

// codeNone is of a call that got no answer.
const codeNone = "none"

// calls are those to Clerk's API.
type calls struct {
	total     *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

func newCalls() calls {
	c := calls{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "clerk_requests_total",
			Help: "Requests to Clerk by what for and by the status of the answer, none where there was none.",
		}, []string{"operation", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "clerk_request_duration_seconds",
			Help:    "How long Clerk took to begin to answer, or until it was given up on.",
			Buckets: callBuckets,
		}, []string{"operation"}),
	}
	for _, operation := range []string{operationPush, operationRead, operationList} {
		// From zero: a counter that appears at 1 has no increase.
		c.total.WithLabelValues(operation, strconv.Itoa(http.StatusTooManyRequests))
		c.durations.WithLabelValues(operation)
	}
	return c
}

// WatchClerk returns a transport for clerk.Config that counts the calls which next makes. It may be called for several.
func (m *Metrics) WatchClerk(next http.RoundTripper) http.RoundTripper {
	return &countingTransport{next: next, calls: m.calls}
}

type countingTransport struct {
	next  http.RoundTripper
	calls calls
}

// CloseIdleConnections lets http.Client reach the transport's.
func (t *countingTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	operation, started := operationOf(request.Method, request.URL.Path), time.Now()
	response, err := t.next.RoundTrip(request)
	t.calls.durations.WithLabelValues(operation).Observe(time.Since(started).Seconds())
	code := codeNone
	if err == nil {
		code = strconv.Itoa(response.StatusCode)
	}
	t.calls.total.WithLabelValues(operation, code).Inc()
	return response, err
}

// operationOf goes by the end of the path: what comes before is up to CLERK_API_URL.
func operationOf(method, urlPath string) string {
	parent, last := path.Split(path.Clean(urlPath))
	switch {
	case method == http.MethodPatch && last == "metadata":
		return operationPush
	case method == http.MethodGet && last == "organizations":
		return operationList
	case method == http.MethodGet && path.Base(parent) == "organizations":
		return operationRead
	default:
		return operationOther
	}
}
