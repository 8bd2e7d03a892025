package clerk

import (
	"context"
	"net/http"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organization"
)

// Client calls Clerk's Backend API. It is safe for concurrent use, and meant to be made once.
type Client struct {
	organizations *organization.Client
	http          *http.Client
	timeout       time.Duration
	secretKey     string
	keyKind       KeyKind
}

// New checks the configuration and returns a client. It makes no call.
func New(config Config) (*Client, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	keyKind, err := ParseKeyKind(config.SecretKey)
	if err != nil {
		return nil, err
	}
	httpClient := &http.Client{
		Transport:     &recorder{next: config.Transport},
		CheckRedirect: refuseRedirect,
		// No Timeout here: the deadline is the context's, so that it can be told from the caller's own.
	}
	return &Client{
		organizations: organization.NewClient(&clerksdk.ClientConfig{BackendConfig: clerksdk.BackendConfig{
			HTTPClient: httpClient,
			URL:        &config.BaseURL,
			Key:        &config.SecretKey,
		}}),
		http:      httpClient,
		timeout:   config.Timeout,
		secretKey: config.SecretKey,
		keyKind:   keyKind,
	}, nil
}

// refuseRedirect makes a redirect an answer like any other. Followed, a 301 would turn the PATCH into a GET whose 200
// looks like success.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// KeyKind returns which kind of instance the client's key belongs to.
func (c *Client) KeyKind() KeyKind { return c.keyKind }

// CloseIdleConnections closes the connections that no call is using. The client stays usable.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// Receipt tells how a call went, for logs and metrics. It is filled in as far as the call got, on failure too.
type Receipt struct {
	// Status is the HTTP status of the answer; 0 if none came.
	Status int
	// TraceID is Clerk's name for the call, to be quoted to their support; may be empty.
	TraceID string
	// Duration is how long the call took, from before dialing.
	Duration time.Duration
	// Date is what the clock at Clerk showed when it answered, in whole seconds; zero: it did not say.
	Date time.Time
}

// intent is whether a call may change something at Clerk, which decides what an unclear outcome means.
type intent bool

const (
	reads  intent = false
	writes intent = true
)

// terms are those of one call.
type terms struct {
	intent    intent
	timeout   time.Duration
	maxAnswer int64
}

// call runs one SDK call that answers with an organization, under the client's deadline, and returns that. accept says
// whether a well-formed 200 is the answer that was asked for.
func (c *Client) call(
	ctx context.Context, intent intent, request sdkCall, accept func(Organization) error,
) (Organization, Receipt, error) {
	var answer *clerksdk.Organization
	var found Organization
	receipt, err := c.exchange(ctx, terms{intent: intent, timeout: c.timeout, maxAnswer: maxAnswer},
		func(ctx context.Context) (err error) {
			answer, err = request(ctx)
			return err
		},
		func() error {
			found = organizationFrom(answer)
			return accept(found)
		})
	if err != nil {
		return Organization{}, receipt, err
	}
	return found, receipt, nil
}

// exchange runs one SDK call under its deadline, and sees to it that nil means success: accept says whether the answer
// that request kept is the one that was asked for. Any failure is an *Error.
func (c *Client) exchange(
	ctx context.Context, terms terms, request func(context.Context) error, accept func() error,
) (Receipt, error) {
	started := time.Now()
	if err := ended(ctx); err != nil {
		return Receipt{}, c.failure(ctx, &exchange{neverSent: true}, terms.intent, err)
	}
	callCtx, cancel := context.WithTimeout(ctx, terms.timeout)
	defer cancel()
	callCtx, exchange := record(callCtx, terms.maxAnswer)

	err := request(callCtx)
	receipt := Receipt{
		Status: exchange.status, TraceID: c.foreign(exchange.traceID()), Duration: time.Since(started), Date: exchange.date(),
	}
	if err == nil && exchange.status == http.StatusOK {
		if err = accept(); err == nil {
			return receipt, nil
		}
	}
	return receipt, c.failure(ctx, exchange, terms.intent, err)
}

// ended is ctx.Err, but does not rely on a timer having fired: a process that was stopped for longer than its deadline
// goes on before, and what it was about to send is out of date.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// sdkCall is one call of the SDK that answers with an organization.
type sdkCall func(ctx context.Context) (*clerksdk.Organization, error)
