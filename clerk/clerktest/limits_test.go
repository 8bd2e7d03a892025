package clerktest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// The history tells the request that exceeded a limit from those that arrived while it was blocked for that, and one
// block from another.
func TestHistoryOfBlocks(t *testing.T) {
	t.Parallel()
	config := instanceLimit(4)
	config.OrganizationLimit = clerktest.Limit{Requests: 1, Window: 2500 * time.Millisecond}
	inBubble(t, config, func(t *testing.T, b *bubble) {
		type seen struct {
			By      clerktest.Limited
			InBlock bool
			Until   time.Duration
		}
		organization := func(inBlock bool, until time.Duration) seen {
			return seen{clerktest.LimitedOrganization, inBlock, until}
		}
		instance := func(inBlock bool) seen { return seen{clerktest.LimitedInstance, inBlock, 10 * time.Second} }
		steps := []struct {
			at   time.Duration
			want seen
		}{
			{0, seen{}},
			{time.Second, organization(false, 3*time.Second)},
			{3*time.Second - 1, organization(true, 3*time.Second)},
			{3 * time.Second, seen{}}, // refused ones count for the instance: that is the fourth
			{4 * time.Second, instance(false)},
			{10*time.Second - 1, instance(true)},
			{10 * time.Second, seen{}},
			{13 * time.Second, seen{}},
			{13 * time.Second, organization(false, 16*time.Second)},
		}
		for _, step := range steps {
			b.at(step.at)
			b.push("org_1")
			requests := b.Requests()
			r := requests[len(requests)-1]
			got := seen{r.Limited, r.InBlock, 0}
			if !r.BlockedUntil.IsZero() {
				got.Until = r.BlockedUntil.Sub(b.began)
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("at %s: %s", step.at, diff)
			}
		}
	})
}

// A refused request neither counts nor prolongs, at either limit.
func TestHammeringDoesNotProlong(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]clerktest.Config{
		"instance": instanceLimit(2),
		"organization": {InstanceLimit: unlimited,
			OrganizationLimit: clerktest.Limit{Requests: 2, Window: 10 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, config, func(t *testing.T, b *bubble) {
				b.push("org_1")
				b.push("org_1")
				for at := time.Duration(0); at < 10*time.Second; at += 100 * time.Millisecond {
					b.at(at)
					if got := b.push("org_1"); got != http.StatusTooManyRequests {
						t.Fatalf("at %s: %d", at, got)
					}
				}
				b.at(10 * time.Second)
				for range 2 {
					if got := b.push("org_1"); got != http.StatusOK {
						t.Errorf("after the block: %d", got)
					}
				}
			})
		})
	}
}

func TestSetLimits(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.Config{}, func(t *testing.T, b *bubble) {
		b.push("org_1")
		b.push("org_1")
		b.SetLimits(clerktest.Limit{Requests: 3, Window: time.Minute}, clerktest.Limit{Requests: 2})
		if got := b.push("org_1"); got != http.StatusTooManyRequests {
			t.Errorf("the third to one organization: %d", got)
		}
		if got := b.push("org_2"); got != http.StatusTooManyRequests {
			t.Errorf("the fourth of all: %d", got)
		}
		want := clerktest.LimitStates{
			Instance: clerktest.LimitState{
				Limit: clerktest.Limit{Requests: 3, Window: time.Minute}, Used: 3, BlockedUntil: b.began.Add(time.Minute),
			},
			Organization: clerktest.Limit{Requests: 2, Window: 10 * time.Second},
			Organizations: map[string]clerktest.LimitState{"org_1": {
				Limit: clerktest.Limit{Requests: 2, Window: 10 * time.Second}, Used: 2, BlockedUntil: b.began.Add(10 * time.Second),
			}},
		}
		if diff := cmp.Diff(want, b.Limits()); diff != "" {
			t.Error(diff)
		}
		b.at(2 * time.Minute)
		want.Instance.Used, want.Instance.BlockedUntil = 0, time.Time{}
		want.Organizations = map[string]clerktest.LimitState{}
		if diff := cmp.Diff(want, b.Limits()); diff != "" {
			t.Error(diff)
		}
		b.SetLimits(clerktest.Limit{}, clerktest.Limit{})
		if got := b.Limits(); got.Instance.Requests != 100 || got.Organization.Requests != 10 {
			t.Errorf("Clerk's: %+v", got)
		}
	})
}
