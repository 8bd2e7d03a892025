package clerktest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// endpoints are all that are emulated, each with a request that succeeds; but for GET /jwks, which needs no key, has no
// limit and so fails in other ways.
var endpoints = []struct{ method, path, body string }{
	{"GET", "/v1/instance", ""},
	{"GET", "/v1/organizations", ""},
	{"POST", "/v1/organizations", `{"name":"New"}`},
	{"GET", "/v1/organizations/org_1", ""},
	{"PATCH", "/v1/organizations/org_1", `{"name":"Acme"}`},
	{"DELETE", "/v1/organizations/org_1", ""},
	{"PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":{"a":1}}`},
	{"PUT", "/v1/organizations/org_1/metadata", `{"public_metadata":{"a":1}}`},
}

// failure is how a request fails: a change to one that succeeds, or to the emulator, and what is documented to follow.
type failure struct {
	edit    func(*http.Request)
	prepare func(*emulator)
	path    string // in place of the endpoint's
	body    string // in place of the endpoint's
	status  int
	code    string
	// retryAfter is the header Retry-After.
	retryAfter string
}

func without(header string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Del(header) }
}

func failingWith(status int) func(*emulator) {
	return func(e *emulator) { e.SetFaults(answer(status)) }
}

// failures of every endpoint.
//
// https://clerk.com/docs/guides/development/errors/backend-api
var failures = map[string]failure{
	"no key":      {edit: without("Authorization"), status: 401, code: "authorization_header_format_invalid"},
	"rotated key": {prepare: func(e *emulator) { e.SetSecretKey("sk_test_new") }, status: 401, code: "clerk_key_invalid"},
	"no version":  {edit: without("Clerk-API-Version"), status: 400, code: "api_version_invalid"},
	"instance's rate": {
		prepare: func(e *emulator) {
			e.SetLimits(clerktest.Limit{Requests: 1, Window: 5 * time.Second}, unlimited)
			e.do("GET", "/v1/organizations", "")
		},
		status: 429, code: "too_many_requests", retryAfter: "5",
	},
	"switched off":        {prepare: failingWith(403), status: 403, code: "organization_not_enabled_in_instance"},
	"locked":              {prepare: failingWith(409), status: 409, code: "resource_locked"},
	"failing":             {prepare: failingWith(500), status: 500, code: "internal_clerk_error"},
	"failing beyond time": {prepare: failingWith(504), status: 504, code: "gateway_timeout"},
}

// failuresByBody are those of every endpoint that takes a body.
var failuresByBody = map[string]failure{
	"not JSON":       {body: `{"name":`, status: 400, code: "request_body_invalid"},
	"no object":      {body: `[1]`, status: 400, code: "request_body_invalid"},
	"1 MiB":          {body: strings.Repeat(" ", 1<<20) + "{}", status: 413, code: "request_body_too_large"},
	"unknown member": {body: `{"name":"x","oops":1}`, status: 422, code: "form_param_unknown"},
}

// Each endpoint fails as documented, in each documented way, with the documented body.
func TestEveryEndpointFailsAsDocumented(t *testing.T) {
	t.Parallel()
	for _, endpoint := range endpoints {
		ways := maps.Clone(failures)
		if endpoint.body != "" {
			maps.Copy(ways, failuresByBody)
		}
		if endpoint.method == http.MethodGet {
			ways["unknown parameter"] = failure{path: endpoint.path + "?oops=1", status: 422, code: "form_param_unknown"}
		}
		if strings.Contains(endpoint.path, "org_1") {
			ways["unknown organization"] = failure{
				path: strings.Replace(endpoint.path, "org_1", "org_9", 1), status: 404, code: "resource_not_found",
			}
		}
		if strings.Contains(endpoint.path, "org_1") && strings.HasPrefix(endpoint.method, "P") {
			ways["organization's rate"] = failure{
				prepare: func(e *emulator) {
					e.SetLimits(unlimited, clerktest.Limit{Requests: 1, Window: 5 * time.Second})
					e.do("PATCH", "/v1/organizations/org_1", `{}`)
				},
				status: 429, code: "too_many_requests", retryAfter: "5",
			}
		}
		for name, way := range ways {
			t.Run(endpoint.method+" "+endpoint.path+" "+name, func(t *testing.T) {
				t.Parallel()
				way.check(t, endpoint.method, endpoint.path, endpoint.body)
			})
		}
	}
}

func (f failure) check(t *testing.T, method, path, body string) {
	e := pushable(t)
	if f.prepare != nil {
		f.prepare(e)
	}
	if f.path != "" {
		path = f.path
	}
	if f.body != "" {
		body = f.body
	}
	var edits []func(*http.Request)
	if f.edit != nil {
		edits = append(edits, f.edit)
	}
	before := e.Organizations()
	got := e.do(method, path, body, edits...)
	if got.status != f.status || got.code != f.code {
		t.Errorf("%d %q, want %d %q: %s", got.status, got.code, f.status, f.code, got.body)
	}
	if len(got.trace) != 32 || got.trace != got.header.Get("Clerk-Trace-Id") {
		t.Errorf("clerk_trace_id %q, Clerk-Trace-Id %q", got.trace, got.header.Get("Clerk-Trace-Id"))
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type %q", got.header.Get("Content-Type"))
	}
	if retryAfter := got.header.Get("Retry-After"); retryAfter != f.retryAfter {
		t.Errorf("Retry-After %q", retryAfter)
	}
	checkErrorBody(t, got.body)
	if after := e.Organizations(); !cmp.Equal(before, after, cmp.AllowUnexported(clerktest.Organization{})) {
		t.Errorf("it has changed something: %v", after)
	}
}

// checkErrorBody holds the body to the documented members, none missing and none more.
func checkErrorBody(t *testing.T, body string) {
	t.Helper()
	var decoded map[string]any
	if err := json.Unmarshal([]byte(body), &decoded); err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(decoded)); !slices.Equal(names, []string{"clerk_trace_id", "errors"}) {
		t.Errorf("members %v", names)
	}
	errors, _ := decoded["errors"].([]any)
	if len(errors) != 1 {
		t.Fatalf("errors: %v", decoded["errors"])
	}
	members := errors[0].(map[string]any)
	delete(members, "meta")
	if names := slices.Sorted(maps.Keys(members)); !slices.Equal(names, []string{"code", "long_message", "message"}) {
		t.Errorf("members of an error: %v", names)
	}
}

// Requests that fail for nothing succeed: else the table above would prove little.
func TestEveryEndpointSucceeds(t *testing.T) {
	t.Parallel()
	for _, endpoint := range endpoints {
		e := pushable(t)
		got := e.do(endpoint.method, endpoint.path, endpoint.body)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" ||
			len(got.header.Get("Clerk-Trace-Id")) != 32 {
			t.Errorf("%s %s: %d %v %s", endpoint.method, endpoint.path, got.status, got.header, got.body)
		}
	}
}

// 502 and 503 come from a proxy before Clerk, and so are no JSON. 504 is Clerk's own.
func TestAnswersOfProxies(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	for status, want := range map[int][2]string{502: {"text/html", "<html>"}, 503: {"", ""}, 504: {"application/json", `{"errors"`}} {
		e.SetFaults(answer(status))
		got := e.do("GET", "/v1/organizations", "")
		if got.status != status || got.header.Get("Content-Type") != want[0] || !strings.HasPrefix(got.body, want[1]) ||
			want[1] == "" && got.body != "" {
			t.Errorf("%d: %v %q", got.status, got.header, got.body)
		}
	}
}
