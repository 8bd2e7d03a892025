package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// The customization of the session token in docs/clerk-setup.md brings all values to the reader, and their age.
func TestSatelliteByTheDocument(t *testing.T) {
	t.Parallel()
	customized := documentedToken(t)
	r := newReader(t, time.Hour)
	const standing = `"certification_tier":"CERTIFIED","compliance_score":87,"insurance_valid":true`
	asOf := time.Now().UTC().Truncate(time.Second)
	for age, want := range map[time.Duration]int{time.Minute: http.StatusOK, 2 * time.Hour: http.StatusForbidden} {
		stamp := asOf.Add(-age).Format(time.RFC3339)
		r.has(fmt.Sprintf(`{%s,"claims_as_of":%q}`, standing, stamp))
		for _, path := range []string{"/reports/insured-work", "/reports/tenders"} {
			if status, body := r.get(path, "org_1", customized); status != want {
				t.Errorf("%s of values %s old: %d, want %d: %s", path, age, status, want, body)
			}
		}
		var got reportJSON
		if status, body := r.get("/reports", "org_1", customized); status != http.StatusOK || json.Unmarshal([]byte(body), &got) != nil {
			t.Fatalf("%d %s", status, body)
		}
		read := got.Claims
		if *read.Tier != claims.Certified || *read.Score != 87 || !*read.InsuranceValid || !read.AsOf.Time().Equal(asOf.Add(-age)) {
			t.Errorf("claims: %+v", read)
		}
	}
}

// documentedToken is the first JSON in the document.
func documentedToken(t *testing.T) func(*clerktest.TokenRequest) {
	t.Helper()
	text, err := os.ReadFile("../../docs/clerk-setup.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var customization map[string]any
	if err := json.Unmarshal([]byte(block), &customization); err != nil {
		t.Fatalf("%v in %s", err, block)
	}
	return func(wanted *clerktest.TokenRequest) { wanted.Claims = customization }
}

// Each reason for which a token is refused is in the document, where people look for it.
func TestReasonsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/clerk-setup.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []claims.Reason{
		claims.Missing, claims.Malformed, claims.UnknownKey, claims.Invalid, claims.Expired, claims.Early, claims.NoSession,
		claims.WrongIssuer, claims.WrongParty, claims.Pending, claims.KeysUnavailable,
	} {
		if !strings.Contains(string(text), "`"+string(reason)+"`") {
			t.Errorf("docs/clerk-setup.md does not tell of %s", reason)
		}
	}
}
