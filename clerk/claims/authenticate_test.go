package claims_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// passed answers with the organization of the claims, so that a request that got through is known.
var passed = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	c, ok := claims.From(r.Context())
	if !ok {
		http.Error(w, "no claims", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte(c.OrganizationID))
})

// get makes a request with those Authorization headers.
func get(handler http.Handler, authorization ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, "/reports", nil)
	for _, value := range authorization {
		request.Header.Add("Authorization", value)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

// problemOf takes a problem apart, and checks what all of them have.
func problemOf(t *testing.T, answer *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var problem map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	if answer.Header().Get("Content-Type") != "application/problem+json" || answer.Header().Get("Cache-Control") != "no-store" ||
		problem["status"] != float64(answer.Code) || problem["title"] != http.StatusText(answer.Code) || problem["detail"] == "" {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	return problem
}

func TestAuthenticate(t *testing.T) {
	r := newReader(t)
	handler := r.Authenticate(passed)
	token := r.mint()
	expired := r.mint(func(request *clerktest.TokenRequest) {
		request.IssuedAt, request.Lifetime = time.Now().Add(-time.Hour), time.Minute
	})
	for name, authorization := range map[string]string{
		"as usual": "Bearer " + token, "in lower case": "bearer " + token, "with more space": "Bearer   " + token + " ",
	} {
		if answer := get(handler, authorization); answer.Code != 200 || answer.Body.String() != "org_1" {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
	const bare, invalid = "Bearer", `Bearer error="invalid_token"`
	for name, test := range map[string]struct {
		authorization []string
		reason        claims.Reason
		challenge     string
	}{
		"none":            {nil, claims.Missing, bare},
		"empty":           {[]string{""}, claims.Missing, bare},
		"no token":        {[]string{"Bearer"}, claims.Missing, bare},
		"spaces":          {[]string{"Bearer   "}, claims.Missing, bare},
		"a password":      {[]string{"Basic dXNlcjpwYXNz"}, claims.Missing, bare},
		"without scheme":  {[]string{token}, claims.Missing, bare},
		"glued":           {[]string{"Bearer:" + token}, claims.Missing, bare},
		"two tokens":      {[]string{"Bearer " + token, "Bearer " + token}, claims.Malformed, invalid},
		"two in one":      {[]string{"Bearer " + token + " " + token}, claims.Malformed, invalid},
		"a list":          {[]string{"Bearer " + token + ",Bearer " + token}, claims.Malformed, invalid},
		"an expired one":  {[]string{"Bearer " + expired}, claims.Expired, invalid},
		"another party's": {[]string{"Bearer " + r.mint(with(map[string]any{"azp": nil}))}, claims.WrongParty, invalid},
		"a pending one":   {[]string{"Bearer " + r.mint(with(map[string]any{"sts": "pending"}))}, claims.Pending, invalid},
	} {
		answer := get(handler, test.authorization...)
		problem := problemOf(t, answer)
		if answer.Code != 401 || problem["reason"] != string(test.reason) || answer.Header().Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%s: %d %v %s", name, answer.Code, answer.Header(), answer.Body)
		}
		for _, part := range strings.Split(token, ".") {
			if strings.Contains(answer.Body.String(), part) {
				t.Errorf("%s: the answer has a part of the token: %s", name, answer.Body)
			}
		}
	}
	for counted, want := range map[string]int{"refused missing": 7, "refused malformed": 3, "refused expired": 1} {
		if got := r.count.of(counted); got != want {
			t.Errorf("%s: counted %d times, want %d", counted, got, want)
		}
	}
	if strings.Contains(r.log.String(), token) {
		t.Error("the log has a token")
	}
}

// The cookie of a session is not read: another site could have sent it.
func TestCookieIsNotRead(t *testing.T) {
	r := newReader(t)
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.AddCookie(&http.Cookie{Name: "__session", Value: r.mint()})
	answer := httptest.NewRecorder()
	r.Authenticate(passed).ServeHTTP(answer, request)
	if answer.Code != 401 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// That the keys cannot be had is not the client's fault: it must not sign in again for that.
func TestKeysUnavailable(t *testing.T) {
	r := newReader(t)
	r.keys.does(answers(500, "secrets of the server"))
	answer := get(r.Authenticate(passed), "Bearer "+r.mint())
	problem := problemOf(t, answer)
	if answer.Code != 503 || problem["reason"] != "keys_unavailable" || answer.Header().Get("Retry-After") != "5" ||
		answer.Header().Get("WWW-Authenticate") != "" || strings.Contains(answer.Body.String(), "500") {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	if c, ok := claims.From(t.Context()); ok || c != nil {
		t.Errorf("from nothing: %+v", c)
	}
	if c, ok := claims.From(claims.NewContext(t.Context(), nil)); ok || c != nil {
		t.Errorf("from nil: %+v", c)
	}
	want := &claims.Claims{Subject: "user_1"}
	if c, ok := claims.From(claims.NewContext(t.Context(), want)); !ok || c != want {
		t.Errorf("%+v, %t", c, ok)
	}
}

// Who gets tokens otherwise than Authenticate has all else that the verifier knows: names, clock, observer.
func TestVerifierNewContext(t *testing.T) {
	r := newReader(t, func(c *claims.Config) { c.Names.Score = "points" })
	c, err := r.Verify(t.Context(), r.mint(with(map[string]any{"points": "many"})))
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(r.NewContext(t.Context(), c), http.MethodGet, "/", nil)
	answer := httptest.NewRecorder()
	claims.RequireScore(1)(passed).ServeHTTP(answer, request)
	if problem := problemOf(t, answer); answer.Code != 403 || problem["claim"] != "points" ||
		!strings.Contains(problem["detail"].(string), "not accepted") || r.count.of("forbidden points") != 1 {
		t.Errorf("%d %s, counted %v", answer.Code, answer.Body, r.count.by)
	}
}

// To who has gone away nothing is refused, so that alarms are not about them.
func TestNobodyIsRefused(t *testing.T) {
	r := newReader(t)
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	r.keys.does(func(http.ResponseWriter, *http.Request) { <-ended }) // or the keys might be there before it is seen that nobody waits
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Verify(ctx, r.mint()); err == nil {
		t.Error("verified without keys")
	}
	if n := r.count.of("refused keys_unavailable"); n != 0 {
		t.Errorf("counted %d times", n)
	}
}

// What anybody with a token of another application can make us warn of is warned of once a minute.
func TestWarnings(t *testing.T) {
	r := newReader(t)
	token := r.mint(with(map[string]any{"azp": "https://other.example.com"}))
	for n, warnings := range []int{1, 1, 2} {
		if n == 2 {
			r.pass(time.Minute)
		}
		r.expect(token, claims.WrongParty)
		if got := strings.Count(r.log.String(), `level=WARN msg="Session token refused"`); got != warnings {
			t.Errorf("%d warnings, want %d", got, warnings)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := claims.Config{Issuer: "https://clerk.example.com", AuthorizedParties: []string{"https://a.example"}, Keys: claims.JWKS("")}
	if _, err := claims.NewVerifier(good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		edit func(*claims.Config)
		says string
	}{
		"no issuer":           {func(c *claims.Config) { c.Issuer = "" }, "Issuer"},
		"a host as issuer":    {func(c *claims.Config) { c.Issuer = "clerk.example.com" }, "Issuer"},
		"a slash":             {func(c *claims.Config) { c.Issuer += "/" }, "slash"},
		"no parties":          {func(c *claims.Config) { c.AuthorizedParties = nil }, "AuthorizedParties is required"},
		"an empty party":      {func(c *claims.Config) { c.AuthorizedParties = []string{"https://a.example", ""} }, `has ""`},
		"a host as party":     {func(c *claims.Config) { c.AuthorizedParties = []string{"localhost:3000"} }, "localhost:3000"},
		"a page as party":     {func(c *claims.Config) { c.AuthorizedParties = []string{"https://a.example/"} }, "https://a.example/"},
		"no keys":             {func(c *claims.Config) { c.Keys = nil }, "Keys is required"},
		"keys of nowhere":     {func(c *claims.Config) { c.Keys = claims.JWKS("jwks.json") }, "URL of a JWKS"},
		"keys in a file":      {func(c *claims.Config) { c.Keys = claims.JWKS("file:///etc/jwks.json") }, "URL of a JWKS"},
		"a password for keys": {func(c *claims.Config) { c.Keys = claims.JWKS("https://a:hunter2@b.example/") }, "URL of a JWKS"},
		"a shouted party":     {func(c *claims.Config) { c.AuthorizedParties = []string{"https://A.example"} }, "lower case"},
		"negative leeway":     {func(c *claims.Config) { c.Leeway = -1 }, "Leeway"},
		"much leeway":         {func(c *claims.Config) { c.Leeway = time.Hour }, "Leeway"},
		"keys without age":    {func(c *claims.Config) { c.MaxKeyAge = time.Second }, "MaxKeyAge"},
		"keys of the future":  {func(c *claims.Config) { c.MaxKeyAge = -time.Hour }, "MaxKeyAge"},
	} {
		config := good
		test.edit(&config)
		_, err := claims.NewVerifier(config)
		if err == nil || !strings.HasPrefix(err.Error(), "claims: ") || !strings.Contains(err.Error(), test.says) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want one about %s", name, err, test.says)
		}
	}
}

// What the satellite does is pinned as anywhere: its tokens have the instance's issuer, and its own origin.
func TestSatellite(t *testing.T) {
	r := newReader(t, func(c *claims.Config) { c.AuthorizedParties = []string{satellite} })
	r.expect(r.mint(), "")
	r.expect(r.mint(with(map[string]any{"azp": "https://app.example.com"})), claims.WrongParty)
	r.expect(r.mint(with(map[string]any{"iss": "https://clerk.reports.example.net"})), claims.WrongIssuer)
	if diff := cmp.Diff(2, r.count.of("refused wrong_party")+r.count.of("refused wrong_issuer")); diff != "" {
		t.Error(diff)
	}
}
