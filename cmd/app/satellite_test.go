package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/claims/claimsmetrics"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// reader is somebody with a session token of an emulated Clerk.
type reader struct {
	t     *testing.T
	clerk *clerktest.Server
	url   string
	http  *http.Client
}

// newReader starts a satellite for tokens of a Clerk with the organization org_1.
func newReader(t *testing.T, maxAge time.Duration) *reader {
	t.Helper()
	clerk, err := clerktest.Start(clerktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clerk.Close(); err != nil {
			t.Error(err)
		}
	})
	clerk.AddOrganization("org_1", "Acme")
	return newReaderOf(t, clerk, maxAge)
}

// newReaderOf starts a satellite for tokens of that Clerk.
func newReaderOf(t *testing.T, clerk *clerktest.Server, maxAge time.Duration) *reader {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	r := &reader{t: t, clerk: clerk, http: client}
	observer := claimsmetrics.New()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{demoParty}, Keys: claims.JWKS(clerk.BaseURL() + "/jwks"), HTTPClient: client,
		Observer: observer,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := startSatellite(t.Context(), "127.0.0.1:0", newSatelliteHandler(verifier, maxAge, observer), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	r.url = s.url
	return r
}

// has makes this the public metadata of the organization.
func (r *reader) has(metadata string) { r.clerk.EditMetadata("org_1", []byte(metadata), nil) }

// get asks with a new token; "": without one.
func (r *reader) get(path, organization string, edits ...func(*clerktest.TokenRequest)) (int, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if organization != "" {
		wanted := clerktest.TokenRequest{Organization: organization, Role: "admin", AuthorizedParty: demoParty}
		for _, edit := range edits {
			edit(&wanted)
		}
		token, err := r.clerk.MintToken(wanted)
		if err != nil {
			r.t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.http.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode >= 400 && response.StatusCode < 404 && kind != "application/problem+json" {
		r.t.Errorf("%s: %d as %s: %s", path, response.StatusCode, kind, body)
	}
	return response.StatusCode, string(body)
}

// Each report is for those whose token says enough, and for nobody else.
func TestSatelliteReports(t *testing.T) {
	t.Parallel()
	r := newReader(t, 0)
	const all, insured, tenders = "/reports", "/reports/insured-work", "/reports/tenders"
	tests := []struct {
		metadata string
		open     map[string]bool
	}{
		{`{}`, map[string]bool{all: true}},
		{`{"insurance_valid":true}`, map[string]bool{all: true, insured: true}},
		{`{"insurance_valid":false,"certification_tier":"CERTIFIED","compliance_score":70}`, map[string]bool{all: true, tenders: true}},
		{`{"insurance_valid":true,"certification_tier":"MASTER_ROOFER","compliance_score":100}`, map[string]bool{all: true, insured: true, tenders: true}},
		{`{"certification_tier":"CERTIFIED","compliance_score":69}`, map[string]bool{all: true}},
		{`{"certification_tier":"ACCREDITED","compliance_score":100}`, map[string]bool{all: true}},
		{`{"compliance_score":100}`, map[string]bool{all: true}},
		{`{"certification_tier":"CERTIFIED","insurance_valid":"yes"}`, map[string]bool{all: true}},
	}
	for _, test := range tests {
		r.has(test.metadata)
		for _, path := range []string{all, insured, tenders} {
			want := http.StatusForbidden
			if test.open[path] {
				want = http.StatusOK
			}
			if status, body := r.get(path, "org_1"); status != want {
				t.Errorf("%s of %s: %d, want %d: %s", path, test.metadata, status, want, body)
			}
			if status, body := r.get(path, ""); status != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d: %s", path, status, body)
			}
		}
	}
	other := func(wanted *clerktest.TokenRequest) { wanted.AuthorizedParty = "https://elsewhere.example.com" }
	if status, body := r.get(all, "org_1", other); status != http.StatusUnauthorized {
		t.Errorf("with a token for another application: %d %s", status, body)
	}
	const refused = `session_tokens_refused_total{reason="missing"}`
	if status, body := r.get("/metrics", ""); status != http.StatusOK || !strings.Contains(body, refused) {
		t.Errorf("/metrics: %d %s", status, body)
	}
	if status, body := r.get("/livez", ""); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/livez: %d %s", status, body)
	}
	if status, _ := r.get("/reports/none", "org_1"); status != http.StatusNotFound {
		t.Errorf("a report that there is not: %d", status)
	}
}

// A report says who asked, and what the token claims: absent is null, and not zero.
func TestSatelliteSaysWhoAsked(t *testing.T) {
	t.Parallel()
	r := newReader(t, 0)
	r.has(`{"certification_tier":"CERTIFIED","compliance_score":"70","insurance_valid":[true]}`)
	status, body := r.get("/reports/tenders", "org_1")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	times, _ := got["token"].(map[string]any)
	if len(times) != 2 || times["issued_at"] == times["expires_at"] {
		t.Errorf("token: %v", times)
	}
	delete(got, "token")
	want := map[string]any{
		"report": "Tenders for the certified, with a score of 70 or above",
		"for":    map[string]any{"subject": "user_clerktest", "organization_id": "org_1", "role": "org:admin"},
		"claims": map[string]any{
			"certification_tier": "CERTIFIED", "compliance_score": 70., "insurance_valid": nil, "claims_as_of": nil,
			"malformed": []any{"insurance_valid"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
