package claims_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
)

// fetched waits until so many fetches have ended.
func (r *reader) fetched(n int) {
	r.t.Helper()
	r.until("the fetch has ended", func() bool { return r.count.of("fetched true")+r.count.of("fetched false") >= n })
}

// A removed key stops working though its tokens keep coming: with the SDK's cache, each of them would prolong it.
func TestRemovedKeyStops(t *testing.T) {
	r := newReader(t)
	old := r.mint()
	r.expect(old, "")
	r.clerk.RotateSigningKey(false)
	for range 14 { // every minute a token
		r.pass(time.Minute)
		r.expect(old, "")
	}
	if got := r.keys.fetches.Load(); got != 1 {
		t.Errorf("%d fetches while the key is young", got)
	}
	r.pass(time.Minute) // a quarter of an hour: this one has the keys fetched, and does not wait for that
	r.expect(old, "")
	r.until("it is refused", func() bool { return r.reason(old) == claims.UnknownKey })
	r.expect(r.mint(), "")
}

// Who had no request for long does not go by what was so then.
func TestRemovedKeyStopsForTheIdle(t *testing.T) {
	r := newReader(t)
	old := r.mint()
	r.expect(old, "")
	r.clerk.RotateSigningKey(false)
	r.pass(30 * time.Minute)
	r.expect(old, claims.UnknownKey)

	r.pass(30 * time.Minute) // and with Clerk away: the first waits for that to be found out, and only the first
	fresh := r.mint()
	r.expect(fresh, "")
	r.keys.does(answers(503, ""))
	r.pass(45 * time.Minute)
	r.expect(fresh, "")
	before := r.keys.fetches.Load()
	r.expect(fresh, "")
	if got := r.keys.fetches.Load(); got != before {
		t.Errorf("%d fetches more", got-before)
	}
}

// A key that is still published stays, under constant traffic for hours, by one fetch each quarter of an hour.
func TestKeyStays(t *testing.T) {
	r := newReader(t)
	token := r.mint()
	for n := range 8 {
		r.expect(token, "")
		r.fetched(n + 1)
		r.pass(15 * time.Minute)
	}
	if got := r.keys.fetches.Load(); got != 8 {
		t.Errorf("%d fetches in two hours", got)
	}
}

// While Clerk is away, keys go on as long as they are young, and no longer. Then it is nobody's fault, and tried again.
func TestClerkIsAway(t *testing.T) {
	r := newReader(t)
	token := r.mint()
	r.expect(token, "")
	r.keys.does(answers(503, ""))
	for n := range 11 {
		r.pass(5 * time.Minute)
		r.expect(token, "") // 55 minutes in the end
		if n >= 2 {
			r.fetched(n)
		}
	}
	r.pass(5 * time.Minute)
	c, err := r.Verify(t.Context(), token)
	if got := reasonOf(t, c, err); got != claims.KeysUnavailable || !strings.Contains(err.Error(), "503") {
		t.Errorf("refused for %q: %v", got, err)
	}
	r.expect(token, claims.KeysUnavailable)
	for _, said := range []string{"cannot be fetched", "level=ERROR msg=\"Session tokens cannot be verified"} {
		if n := strings.Count(r.log.String(), said); n != 1 {
			t.Errorf("%q is logged %d times", said, n)
		}
	}
	r.keys.does(nil)
	before := r.keys.fetches.Load()
	r.expect(token, claims.KeysUnavailable) // it was tried a moment ago
	if got := r.keys.fetches.Load(); got != before {
		t.Errorf("tried again at once")
	}
	r.pass(5 * time.Second)
	r.expect(token, "")
	if !strings.Contains(r.log.String(), "can be fetched again") {
		t.Error("that they can be fetched again is not logged")
	}
}

// A new key is known with its first token. Names that nobody knows cannot make us fetch more often than every few seconds.
func TestUnknownKey(t *testing.T) {
	r := newReader(t)
	r.expect(r.mint(), "")
	r.clerk.RotateSigningKey(true)
	fresh := r.mint()
	r.expect(fresh, claims.UnknownKey) // the keys have just been fetched
	r.pass(5 * time.Second)
	r.expect(fresh, "")
	if got := r.keys.fetches.Load(); got != 2 {
		t.Errorf("%d fetches, want one for each of two keys", got)
	}

	r.clerk.RotateSigningKey(false)
	unknown := r.mint()
	r.clerk.RotateSigningKey(false)
	for range 10 { // 10 s, each with 20 tokens
		for range 20 {
			r.expect(unknown, claims.UnknownKey)
		}
		r.pass(time.Second)
	}
	if got := r.keys.fetches.Load(); got > 4 {
		t.Errorf("%d fetches in 10 s", got-2)
	}
}

// Many that need a key at once wait for one fetch, those with a known key for none; and who gives up does not end it.
func TestOneFetchForAll(t *testing.T) {
	r := newReader(t)
	arrived := make(chan struct{}, 100)
	until := func(release chan struct{}) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			arrived <- struct{}{}
			<-release
			r.clerk.ServeHTTP(w, request)
		}
	}
	release := make(chan struct{})
	r.keys.does(until(release))
	token := r.mint()
	impatient, giveUp := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := r.Verify(impatient, token)
		first <- err
	}()
	<-arrived
	giveUp()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up gets %v", err)
	}
	var waiting sync.WaitGroup
	var begun, good atomic.Int32
	for range 50 {
		waiting.Go(func() {
			begun.Add(1)
			if _, err := r.Verify(t.Context(), token); err == nil {
				good.Add(1)
			}
		})
	}
	r.until("all are at it", func() bool { return begun.Load() == 50 })
	close(release)
	waiting.Wait()
	if got := r.keys.fetches.Load(); got != 1 || good.Load() != 50 {
		t.Errorf("%d fetches, %d of 50 tokens are good", got, good.Load())
	}

	release = make(chan struct{})
	r.keys.does(until(release))
	r.pass(time.Minute)
	r.clerk.RotateSigningKey(true)
	unknown := make(chan claims.Reason)
	newer := r.mint()
	go func() { c, err := r.Verify(t.Context(), newer); unknown <- reasonOf(t, c, err) }()
	<-arrived
	r.expect(token, "") // at once, or this would never end
	close(release)
	if got := <-unknown; got != "" {
		t.Errorf("the new key's token is refused for %q", got)
	}
}

// A fetch has a deadline: Clerk that accepts and says nothing is Clerk away.
func TestFetchHasADeadline(t *testing.T) {
	r := newReader(t)
	r.keys.does(func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	started := time.Now()
	r.expect(r.mint(), claims.KeysUnavailable)
	if took := time.Since(started); took < 4*time.Second || took > 15*time.Second {
		t.Errorf("it took %s, want 5 s", took)
	}
}

// What is no set of keys takes none away, and gives none.
func TestWhatIsNoKeySet(t *testing.T) {
	r := newReader(t)
	token := r.mint()
	r.expect(token, "")
	for name, instead := range map[string]http.HandlerFunc{
		"an error":      answers(500, `{"errors":[{"code":"internal_clerk_error"}]}`),
		"not found":     answers(404, ""),
		"HTML":          answers(200, "<html>log in</html>"),
		"empty":         answers(200, ""),
		"null":          answers(200, "null"),
		"an empty set":  answers(200, `{"keys":[]}`),
		"no usable key": answers(200, `{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}`),
		"another shape": answers(200, `{"keys":{"a":1}}`),
		"huge":          answers(200, `{"keys":[],"x":"`+strings.Repeat("x", 300<<10)+`"}`),
		"a status 201":  answers(201, `{"keys":[]}`),
		"a break": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"keys":[`))
		},
	} {
		r.keys.does(instead)
		before := r.count.of("fetched false")
		r.pass(15 * time.Minute)
		r.expect(token, "")
		r.until(name+" is no set of keys", func() bool { return r.count.of("fetched false") > before })
		r.expect(token, "")
		r.keys.does(nil)
		r.pass(5 * time.Second)
		again := r.count.of("fetched true")
		r.expect(token, "")
		r.until("the keys are fetched", func() bool { return r.count.of("fetched true") > again })
	}
}

// A redirect could lead to anybody's keys.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	t.Run("by itself", func(t *testing.T) { noRedirect(t, nil) })
	t.Run("by a client that would", func(t *testing.T) { noRedirect(t, &http.Client{}) })
}

func noRedirect(t *testing.T, client *http.Client) {
	r := newReader(t, func(c *claims.Config) { c.HTTPClient = client })
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	r.keys.does(func(w http.ResponseWriter, request *http.Request) {
		if !strings.HasPrefix(request.URL.Path, "/elsewhere") {
			http.Redirect(w, request, "/elsewhere", http.StatusFound)
			return
		}
		request.URL.Path = "/v1/jwks"
		r.clerk.ServeHTTP(w, request)
	})
	r.expect(r.mint(), claims.KeysUnavailable)
	if got := r.keys.fetches.Load(); got != 1 {
		t.Errorf("%d requests: it was followed", got)
	}
}

// Without an address, the issuer's own.
func TestIssuersKeys(t *testing.T) {
	asked := make(chan string, 1)
	ask := roundTripper(func(request *http.Request) (*http.Response, error) {
		asked <- request.Method + " " + request.URL.String()
		return nil, errors.New("no network here")
	})
	r := newReader(t, func(c *claims.Config) {
		c.Keys, c.HTTPClient = claims.JWKS(""), &http.Client{Transport: ask}
	})
	r.expect(r.mint(), claims.KeysUnavailable)
	if got, want := <-asked, "GET https://clerktest.clerk.accounts.dev/.well-known/jwks.json"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
