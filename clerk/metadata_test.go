package clerk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestPushMetadata(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		push            clerk.Metadata
		public, private string
	}{
		"all values": {full(3),
			`{"certification_tier":"MASTER_ROOFER","compliance_score":87,"insurance_valid":true,"theirs":{"a":1}}`,
			`{"claimsync":{"version":3},"theirs":2}`},
		"zero values": {clerk.Metadata{CertificationTier: new(""), ComplianceScore: new(0), InsuranceValid: new(false), Version: 4},
			`{"certification_tier":"","compliance_score":0,"insurance_valid":false,"theirs":{"a":1}}`,
			`{"claimsync":{"version":4},"theirs":2}`},
		"values of some time": {
			clerk.Metadata{
				CertificationTier: new("CERTIFIED"), Version: 4,
				AsOf: time.Date(2026, 11, 23, 13, 0, 59, 999_999_999, time.FixedZone("", 13*3600)),
			},
			`{"certification_tier":"CERTIFIED","claims_as_of":"2026-11-23T00:00:59Z","theirs":{"a":1}}`,
			`{"claimsync":{"version":4},"theirs":2}`,
		},
		"no values": {clerk.Metadata{Version: 5}, `{"theirs":{"a":1}}`, `{"claimsync":{"version":5},"theirs":2}`},
		"odd text": {clerk.Metadata{CertificationTier: new("<&>\u2028 \"Ünï\"")},
			`{"certification_tier":"\u003c\u0026\u003e\u2028 \"Ünï\"","theirs":{"a":1}}`,
			`{"claimsync":{"version":0},"theirs":2}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.EditMetadata("org_1",
				[]byte(`{"certification_tier":7,"insurance_valid":false,"claims_as_of":1,"theirs":{"a":1}}`),
				[]byte(`{"claimsync":{"version":2},"theirs":2}`))
			receipt, err := connect(t, server.BaseURL()).PushMetadata(t.Context(), "org_1", test.push)
			if err != nil {
				t.Fatal(err)
			}
			if receipt.Status != http.StatusOK || receipt.TraceID == "" || receipt.Duration <= 0 {
				t.Errorf("receipt %+v", receipt)
			}
			stored, _ := server.Organization("org_1")
			if diff := cmp.Diff(test.public, string(stored.PublicMetadata)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.private, string(stored.PrivateMetadata)); diff != "" {
				t.Error(diff)
			}
			if len(server.Requests()) != 1 {
				t.Errorf("%d requests for one push", len(server.Requests()))
			}
		})
	}
}

// What Clerk could only refuse, or reach by mistake, is not sent.

func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	server := start(t)
	client := connect(t, server.BaseURL())
	for _, id := range []string{"", "org_1#f", "org_1/../org_2", "org_1?x=y", "acme-roofing"} {
		_, err := client.PushMetadata(t.Context(), id, full(1))
		if failed := failure(t, err); failed.Action != clerk.Park || failed.MaybeApplied {
			t.Errorf("push to %q: %v", id, err)
		}
		_, _, err = client.Organization(t.Context(), id)
		if failed := failure(t, err); failed.Action != clerk.Park {
			t.Errorf("read of %q: %v", id, err)
		}
	}
	_, err := client.PushMetadata(t.Context(), "org_1", clerk.Metadata{CertificationTier: new("\xff")})
	if failed := failure(t, err); failed.Action != clerk.Park {
		t.Errorf("invalid UTF-8: %v", err)
	}
	if len(server.Requests()) != 0 {
		t.Errorf("requests: %+v", server.Requests())
	}
}

// A late write cannot be fenced at Clerk, but it can be seen: reading back shows the older version.

// Two clients in one process keep their own keys, and whatever the SDK's global one is.

func TestKeyIsPerClient(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
	}))
	t.Cleanup(server.Close)
	for _, key := range []string{"sk_test_first", "sk_live_second"} {
		client := connect(t, server.URL+"/v1", func(c *clerk.Config) { c.SecretKey = key })
		_, _, _ = client.Organization(t.Context(), "org_1")
		if got := <-seen; got != "Bearer "+key {
			t.Errorf("sent %q", strings.ReplaceAll(got, key, "…"))
		}
	}
}

// The description of the API promises public metadata in the answer, not private.
func TestAnswerWithoutPrivateMetadata(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetFaults(statusBody(200, `{"object":"organization","id":"org_1","public_metadata":{`+
		`"certification_tier":"MASTER_ROOFER","compliance_score":87,"insurance_valid":true}}`))
	if _, err := connect(t, server.BaseURL()).PushMetadata(t.Context(), "org_1", full(1)); err != nil {
		t.Error(err)
	}
}

func BenchmarkPushMetadata(b *testing.B) {
	config := clerktest.WithoutLimits()
	config.HistoryLimit = 100
	server, err := clerktest.Start(config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	server.AddOrganization("org_1", "Acme Roofing")
	client := connect(b, server.BaseURL())
	b.ReportAllocs()
	var version int64
	for b.Loop() {
		version++
		if _, err := client.PushMetadata(b.Context(), "org_1", full(version)); err != nil {
			b.Fatal(err)
		}
	}
}
