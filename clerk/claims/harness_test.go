package claims_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/internal/logtest"
)

const (
	satellite = "https://reports.example.net" // where the tests' tokens are made for
	standing  = `{"certification_tier":"CERTIFIED","compliance_score":87,"insurance_valid":true,"claims_as_of":"2026-11-23T10:00:00Z"}`
)

// reader is an application that reads tokens, and the Clerk that mints them.
type reader struct {
	*claims.Verifier
	t     *testing.T
	clerk *clerktest.Server
	keys  *keyServer
	count *counters
	log   *logtest.Journal
	ahead atomic.Int64 // its clock, of Clerk's
}

func newReader(t *testing.T, edits ...func(*claims.Config)) *reader {
	t.Helper()
	t.Parallel()
	r := &reader{t: t, clerk: clerktest.New(clerktest.Config{}), count: &counters{by: map[string]int{}}, log: &logtest.Journal{}}
	t.Cleanup(func() {
		if err := r.clerk.Close(); err != nil {
			t.Error(err)
		}
	})
	r.clerk.AddOrganization("org_1", "Acme Roofing")
	r.clerk.EditMetadata("org_1", []byte(standing), nil)
	r.keys = serveKeys(t, r.clerk)
	config := r.config()
	for _, edit := range edits {
		edit(&config)
	}
	var err error
	if r.Verifier, err = claims.NewVerifier(config); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) config() claims.Config {
	return claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{"https://app.example.com", satellite},
		Keys: claims.JWKS(r.keys.URL + "/v1/jwks"), HTTPClient: r.keys.Client(),
		Logger:   slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer: r.count, Now: r.now,
	}
}

func (r *reader) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

// pass lets the time pass, for the reader alone.
func (r *reader) pass(d time.Duration) { r.ahead.Add(int64(d)) }

// mint makes a token for the satellite; it lasts for a day, so that the reader's clock can be moved.
func (r *reader) mint(edits ...func(*clerktest.TokenRequest)) string {
	r.t.Helper()
	request := clerktest.TokenRequest{Organization: "org_1", AuthorizedParty: satellite, Lifetime: 24 * time.Hour}
	for _, edit := range edits {
		edit(&request)
	}
	token, err := r.clerk.MintToken(request)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// with overrides claims in the end; nil removes one.
func with(claims map[string]any) func(*clerktest.TokenRequest) {
	return func(r *clerktest.TokenRequest) { r.Override = claims }
}

// inOrganization has the user's active organization be another; "": none.
func inOrganization(id string) func(*clerktest.TokenRequest) {
	return func(r *clerktest.TokenRequest) { r.Organization = id }
}

// reason is why the token is refused; "": it is not.
func (r *reader) reason(token string) claims.Reason {
	r.t.Helper()
	c, err := r.Verify(r.t.Context(), token)
	return reasonOf(r.t, c, err)
}

func reasonOf(t *testing.T, c *claims.Claims, err error) claims.Reason {
	t.Helper()
	if (c == nil) != (err != nil) {
		t.Fatalf("claims %+v with error %v", c, err)
	}
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*claims.Error](err)
	if !ok {
		t.Fatalf("error of type %T: %v", err, err)
	}
	return refusal.Reason
}

func (r *reader) expect(token string, want claims.Reason) {
	r.t.Helper()
	if got := r.reason(token); got != want {
		r.t.Errorf("refused for %q, want %q", got, want)
	}
}

// until waits for a condition that is to come soon.
func (r *reader) until(what string, condition func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// keyServer publishes the keys of an emulator, or does something else instead.
type keyServer struct {
	*httptest.Server
	fetches atomic.Int32

	mu      sync.Mutex
	instead http.HandlerFunc // nil: nothing
}

func serveKeys(t testing.TB, clerk http.Handler) *keyServer {
	k := &keyServer{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.fetches.Add(1)
		k.mu.Lock()
		instead := k.instead
		k.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		clerk.ServeHTTP(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

// does has all further fetches answered so; nil: with the keys.
func (k *keyServer) does(instead http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.instead = instead
}

func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (c *counters) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[name]
}
