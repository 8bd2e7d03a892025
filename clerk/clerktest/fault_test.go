package clerktest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

const push = `{"public_metadata":{"a":1},"private_metadata":{"claimsync":{"version":7}}}`

func pushable(t *testing.T) *emulator {
	e := start(t, clerktest.Config{InstanceLimit: unlimited, OrganizationLimit: unlimited})
	e.AddOrganization("org_1", "Acme")
	e.AddOrganization("org_2", "Other")
	return e
}

func (e *emulator) push(ctx context.Context, organization string) (reply, error) {
	return e.request(ctx, "PATCH", "/v1/organizations/"+organization+"/metadata", push)
}

func TestFaultAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  clerktest.Fault
		status int
		code   string
		body   string // if there is no code
		header string // name and value
	}{
		"400": {fault: clerktest.Fault{Status: 400}, status: 400, code: "request_body_invalid"},
		"401": {fault: clerktest.Fault{Status: 401}, status: 401, code: "clerk_key_invalid"},
		"403": {fault: clerktest.Fault{Status: 403}, status: 403, code: "organization_not_enabled_in_instance"},
		"404": {fault: clerktest.Fault{Status: 404}, status: 404, code: "resource_not_found"},
		"409": {fault: clerktest.Fault{Status: 409}, status: 409, code: "resource_locked"},
		"413": {fault: clerktest.Fault{Status: 413}, status: 413, code: "request_body_too_large"},
		"422": {fault: clerktest.Fault{Status: 422}, status: 422, code: "form_param_value_invalid"},
		"429": {fault: clerktest.Fault{Status: 429, RetryAfter: 7 * time.Second}, status: 429, code: "too_many_requests", header: "Retry-After: 7"},
		"500": {fault: clerktest.Fault{Status: 500}, status: 500, code: "internal_clerk_error"},
		"504": {fault: clerktest.Fault{Status: 504}, status: 504, code: "gateway_timeout"},
		"502": {fault: clerktest.Fault{Status: 502}, status: 502, body: "<html>", header: "Content-Type: text/html"},
		"503": {fault: clerktest.Fault{Status: 503, RetryAfter: time.Minute}, status: 503, header: "Retry-After: 60"},
		"301": {fault: clerktest.Fault{Status: 301}, status: 301, header: "Location: /v1/organizations/org_1/metadata"},
		"304": {fault: clerktest.Fault{Status: 304}, status: 304},
		"own": {fault: clerktest.Fault{Status: 422, Body: `{"status":200}`}, status: 422, body: `{"status":200}`},

		"empty 200":  {fault: clerktest.Fault{Effect: clerktest.EmptyOK}, status: 200},
		"null 200":   {fault: clerktest.Fault{Effect: clerktest.NullOK}, status: 200, body: "null"},
		"errors 200": {fault: clerktest.Fault{Effect: clerktest.ErrorsOK}, status: 200, code: "internal_clerk_error"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := pushable(t)
			if test.fault.Effect == clerktest.None {
				test.fault.Effect = clerktest.Answer
			}
			e.SetFaults(test.fault)
			got, err := e.push(t.Context(), "org_1")
			if err != nil || got.status != test.status || got.code != test.code {
				t.Errorf("got %d %q, %v", got.status, got.code, err)
			}
			if test.code == "" && !strings.HasPrefix(got.body, test.body) || test.code+test.body == "" && got.body != "" {
				t.Errorf("body %q", got.body)
			}
			if name, value, ok := strings.Cut(test.header, ": "); ok && got.header.Get(name) != value {
				t.Errorf("%s: %q", name, got.header.Get(name))
			}
			if len(e.Writes()) != 0 {
				t.Error("it was applied")
			}
			if r := e.Requests()[0]; r.Fault != test.fault.Effect || r.Status != test.status {
				t.Errorf("history: %+v", r)
			}
		})
	}
}

// Retry-After in every form that a client may meet.
func TestFaultHeader(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	for _, value := range []string{"0", "-1", "soon", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", ""} {
		e.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 429, RetryAfter: 7 * time.Second,
			Header: map[string]string{"retry-after": value, "X-Other": "a"}})
		got, err := e.push(t.Context(), "org_1")
		if err != nil || got.status != 429 || got.code != "too_many_requests" {
			t.Errorf("%q: %d %q, %v", value, got.status, got.code, err)
		}
		if values := got.header.Values("Retry-After"); len(values) != 1 || values[0] != value || got.header.Get("X-Other") != "a" {
			t.Errorf("%q: %v", value, got.header)
		}
	}
	e.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 429})
	if got, _ := e.push(t.Context(), "org_1"); got.header.Values("Retry-After") != nil {
		t.Errorf("none was asked for: %v", got.header)
	}
}

func TestFaultSelection(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	status := func(method, organization string) int {
		t.Helper()
		return e.do(method, "/v1/organizations/"+organization+"/metadata", `{}`).status
	}
	e.SetFaults(
		clerktest.Fault{Effect: clerktest.Answer, Status: 409, Organization: "org_1", Method: "PATCH", Count: 2},
		clerktest.Fault{Effect: clerktest.Answer, Status: 503, Organization: "org_1"},
	)
	got := []int{
		status("PATCH", "org_2"), status("PUT", "org_1"), status("PATCH", "org_1"),
		status("PATCH", "org_1"), status("PATCH", "org_1"),
	}
	for i, want := range []int{200, 503, 409, 409, 503} {
		if got[i] != want {
			t.Errorf("request %d: %d, want %d", i, got[i], want)
		}
	}
	if left := e.Faults(); len(left) != 1 || left[0].Status != 503 {
		t.Errorf("left: %+v", left)
	}
	e.ClearFaults()
	if got := status("PATCH", "org_1"); got != http.StatusOK {
		t.Errorf("cleared: %d", got)
	}
}

// The seed decides whom a probability hits.
func TestFaultProbability(t *testing.T) {
	t.Parallel()
	hits := func(seed uint64) string {
		e := start(t, clerktest.Config{Seed: seed, InstanceLimit: unlimited})
		e.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503, Probability: 0.5})
		var pattern strings.Builder
		for range 64 {
			pattern.WriteByte("01"[min(1, e.do("GET", "/v1/organizations", "").status/500)])
		}
		return pattern.String()
	}
	first := hits(1)
	if ones := strings.Count(first, "1"); ones < 12 || ones > 52 {
		t.Errorf("%d of 64 hit at 0.5", ones)
	}
	if again, other := hits(1), hits(2); first != again || first == other {
		t.Errorf("seed 1: %s and %s; seed 2: %s", first, again, other)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	e.SetFaults(clerktest.Fault{Latency: 30 * time.Millisecond})
	began := time.Now()
	got, err := e.push(t.Context(), "org_1")
	if err != nil || got.status != http.StatusOK || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%d, %v after %s", got.status, err, time.Since(began))
	}
	if r := e.Requests()[0]; !r.Delayed || len(e.Writes()) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestFaultCheck(t *testing.T) {
	t.Parallel()
	for _, bad := range []clerktest.Fault{
		{}, {Effect: "explode"}, {Effect: clerktest.Answer}, {Effect: clerktest.Answer, Status: 100},
		{Effect: clerktest.Hang, Count: -1}, {Effect: clerktest.Hang, Probability: 1.5}, {Latency: -time.Second},
		{Effect: clerktest.Hang, At: -1}, {Effect: clerktest.Hang, For: -1},
		{Effect: clerktest.Answer, Status: 429, Block: true},
		{Effect: clerktest.Answer, Status: 503, RetryAfter: time.Second, Block: true},
		{Effect: clerktest.Hang, Header: map[string]string{"A": "b"}},
		{Effect: clerktest.Answer, Status: 429, Header: map[string]string{"A b": "c"}},
		{Effect: clerktest.Answer, Status: 429, Header: map[string]string{"A": "b\nc"}},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v passed", bad)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was set", bad)
				}
			}()
			clerktest.New(clerktest.Config{}).SetFaults(bad)
		}()
	}
}
