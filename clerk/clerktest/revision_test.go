package clerktest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2/jwt"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Tokens whose claims lag behind the metadata.
func TestTokenStale(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		for score := 1; score <= 4; score++ { // at 10, 20, 30 and 40 s
			b.at(time.Duration(score) * 10 * time.Second)
			body := fmt.Sprintf(`{"public_metadata":{"compliance_score":%d}}`, score)
			b.do("PATCH", "/v1/organizations/org_1/metadata", body)
			b.do("PATCH", "/v1/organizations/org_1/metadata", `{"private_metadata":{"other":true}}`) // not a change of claims
			b.do("PATCH", "/v1/organizations/org_2/metadata", body)
		}
		b.at(45 * time.Second)
		for name, test := range map[string]struct {
			request clerktest.TokenRequest
			want    any
		}{
			"now":                     {clerktest.TokenRequest{}, 4.0},
			"5 s ago":                 {clerktest.TokenRequest{Stale: 5 * time.Second}, 4.0},
			"6 s ago":                 {clerktest.TokenRequest{Stale: 6 * time.Second}, 3.0},
			"before all":              {clerktest.TokenRequest{Stale: time.Hour}, nil},
			"a change ago":            {clerktest.TokenRequest{ChangesAgo: 1}, 3.0},
			"four changes ago":        {clerktest.TokenRequest{ChangesAgo: 4}, nil},
			"many changes ago":        {clerktest.TokenRequest{ChangesAgo: 99}, nil},
			"a change before 6 s ago": {clerktest.TokenRequest{Stale: 6 * time.Second, ChangesAgo: 1}, 2.0},
			"issued 20 s ago":         {clerktest.TokenRequest{IssuedAt: time.Now().Add(-20 * time.Second)}, 4.0},
		} {
			if got := b.score(test.request); got != test.want {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
		}
		b.SetTokenStaleness(20 * time.Second)
		if got := b.score(clerktest.TokenRequest{}); got != 2.0 {
			t.Errorf("all 20 s stale: %v", got)
		}
	})
}

// score mints a token of org_1 and reads compliance_score off it.
func (b *bubble) score(r clerktest.TokenRequest) any {
	b.t.Helper()
	r.Organization = "org_1"
	token, err := b.MintToken(r)
	if err != nil {
		b.t.Fatal(err)
	}
	decoded, err := jwt.Decode(b.t.Context(), &jwt.DecodeParams{Token: token})
	if err != nil {
		b.t.Fatal(err)
	}
	return decoded.Extra["compliance_score"]
}
