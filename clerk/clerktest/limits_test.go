package clerktest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestOrganizationLimit(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	e.AddOrganization("org_2", "Other")
	for i := range 10 {
		method, path := "PATCH", "/v1/organizations/org_1/metadata"
		switch i % 3 {
		case 1:
			method = "PUT"
		case 2:
			path = "/v1/organizations/org_1"
		}
		if got := e.do(method, path, `{}`); got.status != http.StatusOK {
			t.Fatalf("request %d: %d", i, got.status)
		}
	}
	got := e.do("PATCH", "/v1/organizations/org_1/metadata", `{}`)
	if got.status != http.StatusTooManyRequests || got.code != "too_many_requests" || got.header.Get("Retry-After") != "10" {
		t.Errorf("the eleventh: %d %q, Retry-After %q", got.status, got.code, got.header.Get("Retry-After"))
	}
	if last := e.Requests()[10]; last.Limited != clerktest.LimitedOrganization || len(e.Writes()) != 7 {
		t.Errorf("%+v, %d writes", last, len(e.Writes()))
	}
	if got := e.do("GET", "/v1/organizations/org_1", ""); got.status != http.StatusOK {
		t.Errorf("reading is not limited per organization: %d", got.status)
	}
	if got := e.do("PATCH", "/v1/organizations/org_2/metadata", `{}`); got.status != http.StatusOK {
		t.Errorf("another organization: %d", got.status)
	}
}

func TestInstanceLimit(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{InstanceLimit: clerktest.Limit{Requests: 2, Window: 1500 * time.Millisecond}})
	for range 2 {
		e.do("GET", "/v1/organizations", "")
	}
	for range 2 { // blocked requests are blocked all the same
		got := e.do("GET", "/v1/organizations", "")
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "2" {
			t.Errorf("%d, Retry-After %q", got.status, got.header.Get("Retry-After"))
		}
	}
	if last := e.Requests()[3]; last.Limited != clerktest.LimitedInstance {
		t.Errorf("%+v", last)
	}
	if got := e.do("GET", "/v1/jwks", ""); got.status != http.StatusOK {
		t.Errorf("jwks is not limited: %d", got.status)
	}
}

// The instance's limit follows the key, as at Clerk.
func TestInstanceLimitByKey(t *testing.T) {
	t.Parallel()
	for key, limit := range map[string]int{"sk_test_x": 100, "sk_live_x": 1000} {
		e := start(t, clerktest.Config{SecretKey: key})
		withKey := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
		admitted := 0
		for e.do("GET", "/v1/organizations/none", "", withKey).status == http.StatusNotFound {
			admitted++
		}
		if admitted != limit {
			t.Errorf("%s: %d admitted, want %d", key, admitted, limit)
		}
	}
}
