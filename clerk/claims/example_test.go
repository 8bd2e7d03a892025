package claims_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A reports application behind a session token. The emulator is in Clerk's place: with Clerk, Keys is claims.JWKS("").
func Example() {
	clerk, err := clerktest.Start(clerktest.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clerk.Close()
	clerk.AddOrganization("org_1", "Acme Roofing")
	clerk.EditMetadata("org_1", []byte(`{"certification_tier":"CERTIFIED","compliance_score":87,"insurance_valid":true}`), nil)

	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:            clerktest.Issuer,
		AuthorizedParties: []string{"http://localhost:3000"},
		Keys:              claims.JWKS(clerk.BaseURL() + "/jwks"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	reports := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := claims.From(r.Context())
		fmt.Fprintf(w, "Reports of %s, which scores %d.", c.OrganizationID, *c.Score)
	})
	application := verifier.Authenticate(claims.RequireTier(claims.Certified)(claims.RequireScore(70)(reports)))

	token, _ := clerk.MintToken(clerktest.TokenRequest{Organization: "org_1"})
	for _, authorization := range []string{"", "Bearer " + token} {
		request := httptest.NewRequest("GET", "/reports", nil)
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		answer := httptest.NewRecorder()
		application.ServeHTTP(answer, request)
		fmt.Println(answer.Code, answer.Body)
	}
	// Output:
	// 401 {"title":"Unauthorized","status":401,"detail":"A session token is required: Authorization: Bearer …","reason":"missing"}
	// 200 Reports of org_1, which scores 87.
}

// What a client is told whose claims are not enough. NewContext is for tests of handlers: no token is needed.
func ExampleRequireScore() {
	handler := claims.RequireScore(70)(http.NotFoundHandler())
	request := httptest.NewRequest("GET", "/reports", nil)
	request = request.WithContext(claims.NewContext(request.Context(), &claims.Claims{
		OrganizationID: "org_1", Score: new(55), IssuedAt: time.Now().Add(-30 * time.Second),
	}))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	fmt.Println(string(body))
	// Output:
	// 403 application/problem+json
	// {"title":"Forbidden","status":403,"detail":"Required is compliance_score: 70 or above. The session token has 55.","claim":"compliance_score","required":70,"actual":55,"refresh":true}
}

// Values of which nobody knows how old they are are refused, as those are that are too old.
func ExampleRequireFresh() {
	handler := claims.RequireFresh(48 * time.Hour)(http.NotFoundHandler())
	request := httptest.NewRequest("GET", "/reports", nil)
	request = request.WithContext(claims.NewContext(request.Context(), &claims.Claims{OrganizationID: "org_1", IssuedAt: time.Now()}))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Body)
	// Output:
	// 403 {"title":"Forbidden","status":403,"detail":"Required is claims_as_of: no more than 48h0m0s ago. The session token does not have it.","claim":"claims_as_of","required":"48h0m0s","actual":null,"refresh":false}
}

// counters count what is refused, and why. A Prometheus CounterVec takes the place of the map.
type counters struct {
	mu sync.Mutex
	by map[string]int
}

func (c *counters) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[name]++
}

func (c *counters) TokenRefused(reason claims.Reason) { c.add("refused " + string(reason)) }
func (c *counters) ClaimMalformed(claim string)       { c.add("malformed " + claim) }
func (c *counters) RequestForbidden(claim string)     { c.add("forbidden " + claim) }
func (c *counters) KeysFetched(err error)             { c.add(fmt.Sprint("fetched ", err == nil)) }

func ExampleObserver() {
	count := &counters{by: map[string]int{}}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{"http://localhost:3000"}, Keys: claims.JWKS(""), Observer: count,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := verifier.Authenticate(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	fmt.Println(count.by)
	// Output: map[refused missing:1]
}
