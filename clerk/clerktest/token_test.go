package clerktest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/jwks"
	"github.com/clerk/clerk-sdk-go/v2/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

const standing = `{"certification_tier":"CERTIFIED","compliance_score":87.5,"insurance_valid":false,"deep":{"a":"x"}}`

// verify is what a resource server does with Clerk's SDK: it fetches the JWKS and returns the custom claims, too.
func (e *emulator) verify(token string) (*sdk.SessionClaims, map[string]any, error) {
	config := &sdk.ClientConfig{}
	config.URL, config.Key, config.HTTPClient = sdk.String(e.BaseURL()), sdk.String("anything"), e.client
	var custom map[string]any
	claims, err := jwt.Verify(e.t.Context(), &jwt.VerifyParams{
		Token:                   token,
		JWKSClient:              jwks.NewClient(config),
		CustomClaimsConstructor: func(context.Context) any { return &custom },
		AuthorizedPartyHandler:  func(party string) bool { return party == "http://localhost:3000" },
	})
	return claims, custom, err
}

func (e *emulator) mint(r clerktest.TokenRequest) string {
	e.t.Helper()
	token, err := e.MintToken(r)
	if err != nil {
		e.t.Fatal(err)
	}
	return token
}

func certified(t *testing.T) *emulator {
	e := pushable(t)
	e.EditMetadata("org_1", []byte(standing), nil)
	return e
}

// Clerk's own SDK accepts the token, and finds in it what it finds in Clerk's.
func TestMintToken(t *testing.T) {
	t.Parallel()
	e := certified(t)
	issued := time.Now().Truncate(time.Second)
	claims, custom, err := e.verify(e.mint(clerktest.TokenRequest{
		Organization: "org_1", Role: "admin", Permissions: "read,manage", Subject: "user_1", SessionID: "sess_1", IssuedAt: issued,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if claims.Version != 2 || claims.Subject != "user_1" || claims.SessionID != "sess_1" || claims.Issuer != clerktest.Issuer ||
		claims.AuthorizedParty != "http://localhost:3000" || len(claims.ID) != 20 ||
		claims.ActiveOrganizationID != "org_1" || claims.ActiveOrganizationSlug != "acme" || !claims.HasRole("org:admin") ||
		*claims.IssuedAt != issued.Unix() || *claims.Expiry != issued.Unix()+60 || *claims.NotBefore != issued.Unix()-10 {
		t.Errorf("%+v", claims)
	}
	delete(custom, "jti")
	want := map[string]any{
		"certification_tier": "CERTIFIED", "compliance_score": 87.5, "insurance_valid": false, "claims_as_of": nil,
		"iss": clerktest.Issuer, "sub": "user_1", "sid": "sess_1", "azp": "http://localhost:3000", "sts": "active",
		"iat": float64(issued.Unix()), "exp": float64(issued.Unix() + 60), "nbf": float64(issued.Unix() - 10),
		"v": 2.0, "fva": []any{0.0, -1.0}, "pla": "u:free",
		"o": map[string]any{"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,manage"},
	}
	if diff := cmp.Diff(want, custom); diff != "" {
		t.Error(diff)
	}
}

// Unknown claims are null, not missing; without an active organization all are.
func TestMintTokenUnknown(t *testing.T) {
	t.Parallel()
	e := certified(t)
	for name, organization := range map[string]string{"no metadata": "org_2", "no organization": ""} {
		_, custom, err := e.verify(e.mint(clerktest.TokenRequest{Organization: organization, Status: "pending"}))
		if err != nil {
			t.Fatal(err)
		}
		for claim := range clerktest.DefaultClaims() {
			if value, there := custom[claim]; !there || value != nil {
				t.Errorf("%s: %s is %v, %v", name, claim, value, there)
			}
		}
		if _, active := custom["o"]; active != (organization != "") || custom["sts"] != "pending" {
			t.Errorf("%s: %v", name, custom)
		}
	}
	if _, err := e.MintToken(clerktest.TokenRequest{Organization: "org_9"}); err == nil {
		t.Error("a token of an unknown organization")
	}
}

// Tokens that Clerk would not mint, for those who must refuse them.
func TestTokenOverride(t *testing.T) {
	t.Parallel()
	e := certified(t)
	for name, test := range map[string]struct {
		request clerktest.TokenRequest
		err     string
	}{
		"expired":      {clerktest.TokenRequest{IssuedAt: time.Now().Add(-time.Hour)}, "expired"},
		"early":        {clerktest.TokenRequest{IssuedAt: time.Now().Add(time.Hour)}, "not valid yet"},
		"of another":   {clerktest.TokenRequest{Override: map[string]any{"iss": "https://evil.example"}}, "invalid issuer"},
		"wrong party":  {clerktest.TokenRequest{AuthorizedParty: "https://evil.example"}, "invalid authorized party"},
		"wrong type":   {clerktest.TokenRequest{Override: map[string]any{"sub": 5}}, "cannot unmarshal"},
		"without exp":  {clerktest.TokenRequest{Override: map[string]any{"exp": nil}}, ""},
		"long-lasting": {clerktest.TokenRequest{IssuedAt: time.Now().Add(-time.Hour), Lifetime: 2 * time.Hour}, ""},
	} {
		_, _, err := e.verify(e.mint(test.request))
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %q", name, err, test.err)
		}
	}
}

func TestControlTokens(t *testing.T) {
	t.Parallel()
	e := certified(t)
	mint := func(body string) (claims map[string]any) {
		t.Helper()
		token, _ := e.do("POST", "/_control/tokens", body).decode(t)["jwt"].(string)
		_, claims, err := e.verify(token)
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	if got := mint(`{"organization":"org_1","lifetime":"5m","override":{"x":1}}`); got["compliance_score"] != 87.5 ||
		got["exp"].(float64)-got["iat"].(float64) != 300 || got["x"] != 1.0 {
		t.Errorf("%v", got)
	}
	if got := mint(`{"organization":"org_1","changes_ago":1}`); got["compliance_score"] != nil {
		t.Errorf("%v", got)
	}
	if got := e.do("PUT", "/_control/token-staleness", `{"staleness":"1h"}`); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := mint(`{"organization":"org_1"}`); got["compliance_score"] != nil {
		t.Errorf("%v", got)
	}
	if got := e.do("POST", "/_control/signing-key", `{"keep_old":true}`); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if keys := e.do("GET", "/v1/jwks", "").decode(t)["keys"].([]any); len(keys) != 2 {
		t.Errorf("%d keys", len(keys))
	}
	for path, bad := range map[string]string{
		"tokens": `{"organization":"org_9"}`, "token-staleness": `{"staleness":"-1s"}`, "signing-key": `{"keep":1}`,
	} {
		method := map[bool]string{true: "PUT", false: "POST"}[path == "token-staleness"]
		if got := e.do(method, "/_control/"+path, bad); got.status != 400 || !strings.Contains(got.body, `"example"`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
