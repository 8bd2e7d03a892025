package clerktest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Every refusal, with Clerk's status and code.
func TestRefusals(t *testing.T) {
	t.Parallel()
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	const metadata = "/v1/organizations/org_1/metadata"
	big := `{"public_metadata":{"a":"` + strings.Repeat("x", 8<<10) + `"}}`

	tests := map[string]struct {
		method, path, body string
		edit               func(*http.Request)
		status             int
		code, param        string
	}{
		"no key":          {method: "GET", path: "/v1/organizations", edit: header("Authorization"), status: 401, code: "authorization_header_format_invalid"},
		"not Bearer":      {method: "GET", path: "/v1/organizations", edit: header("Authorization", "Basic eDp5"), status: 401, code: "authorization_header_format_invalid"},
		"bearer in case":  {method: "GET", path: "/v1/organizations", edit: header("Authorization", "bearer "+clerktest.DefaultSecretKey), status: 401, code: "authorization_header_format_invalid"},
		"two keys":        {method: "GET", path: "/v1/organizations", edit: header("Authorization", "Bearer a", "Bearer b"), status: 401, code: "authorization_header_format_invalid"},
		"wrong key":       {method: "GET", path: "/v1/organizations", edit: header("Authorization", "Bearer sk_test_other"), status: 401, code: "clerk_key_invalid"},
		"key with space":  {method: "GET", path: "/v1/organizations", edit: header("Authorization", "Bearer  "+clerktest.DefaultSecretKey), status: 401, code: "clerk_key_invalid"},
		"no version":      {method: "GET", path: "/v1/organizations", edit: header("Clerk-API-Version"), status: 400, code: "api_version_invalid"},
		"old version":     {method: "GET", path: "/v1/organizations", edit: header("Clerk-API-Version", "2025-11-10"), status: 400, code: "api_version_invalid"},
		"no endpoint":     {method: "GET", path: "/v1/users", status: 404, code: "resource_not_found"},
		"no version path": {method: "GET", path: "/organizations", status: 404, code: "resource_not_found"},
		"no method":       {method: "POST", path: "/v1/organizations/org_1", body: `{}`, status: 404, code: "resource_not_found"},

		"unknown to get":    {method: "GET", path: "/v1/organizations/org_2", status: 404, code: "resource_not_found"},
		"unknown to patch":  {method: "PATCH", path: "/v1/organizations/org_2", body: `{}`, status: 404, code: "resource_not_found"},
		"unknown to merge":  {method: "PATCH", path: "/v1/organizations/org_2/metadata", body: `{}`, status: 404, code: "resource_not_found"},
		"merge by slug":     {method: "PATCH", path: "/v1/organizations/acme/metadata", body: `{}`, status: 404, code: "resource_not_found"},
		"unknown to delete": {method: "DELETE", path: "/v1/organizations/org_2", status: 404, code: "resource_not_found"},

		"no body":           {method: "PATCH", path: metadata, status: 400, code: "request_body_invalid"},
		"not JSON":          {method: "PATCH", path: metadata, body: `{"public_metadata":`, status: 400, code: "request_body_invalid"},
		"not an object":     {method: "PATCH", path: metadata, body: `[]`, status: 400, code: "request_body_invalid"},
		"null body":         {method: "PATCH", path: metadata, body: `null`, status: 400, code: "request_body_invalid"},
		"more after it":     {method: "PATCH", path: metadata, body: `{} {}`, status: 400, code: "request_body_invalid"},
		"body of 1 MiB":     {method: "PATCH", path: metadata, body: strings.Repeat(" ", 1<<20) + `{}`, status: 413, code: "request_body_too_large"},
		"unknown member":    {method: "PATCH", path: metadata, body: `{"unsafe_metadata":{}}`, status: 422, code: "form_param_unknown", param: "unsafe_metadata"},
		"metadata a number": {method: "PUT", path: metadata, body: `{"public_metadata":5}`, status: 422, code: "form_param_value_invalid", param: "public_metadata"},
		"metadata null":     {method: "PATCH", path: metadata, body: `{"private_metadata":null}`, status: 422, code: "form_param_value_invalid", param: "private_metadata"},
		"merge over 8 KB":   {method: "PATCH", path: metadata, body: big, status: 422, code: "form_param_exceeds_allowed_size", param: "public_metadata"},
		"replace over 8 KB": {method: "PUT", path: metadata, body: big, status: 422, code: "form_param_exceeds_allowed_size", param: "public_metadata"},

		"metadata in patch": {method: "PATCH", path: "/v1/organizations/org_1", body: `{"public_metadata":{}}`, status: 422, code: "form_param_unknown", param: "public_metadata"},
		"name a number":     {method: "PATCH", path: "/v1/organizations/org_1", body: `{"name":5}`, status: 422, code: "form_param_value_invalid", param: "name"},
		"name too long":     {method: "PATCH", path: "/v1/organizations/org_1", body: `{"name":"` + strings.Repeat("x", 257) + `"}`, status: 422, code: "form_param_value_invalid", param: "name"},
		"slug in capitals":  {method: "PATCH", path: "/v1/organizations/org_1", body: `{"slug":"Acme"}`, status: 422, code: "form_param_value_invalid", param: "slug"},
		"slug taken":        {method: "POST", path: "/v1/organizations", body: `{"name":"x","slug":"acme"}`, status: 422, code: "form_identifier_exists", param: "slug"},
		"create nameless":   {method: "POST", path: "/v1/organizations", body: `{}`, status: 422, code: "form_param_missing", param: "name"},
		"create too big":    {method: "POST", path: "/v1/organizations", body: `{"name":"x",` + big[1:], status: 422, code: "form_param_exceeds_allowed_size", param: "public_metadata"},

		"limit 0":        {method: "GET", path: "/v1/organizations?limit=0", status: 422, code: "form_param_value_invalid", param: "limit"},
		"limit 501":      {method: "GET", path: "/v1/organizations?limit=501", status: 422, code: "form_param_value_invalid", param: "limit"},
		"limit a word":   {method: "GET", path: "/v1/organizations?limit=all", status: 422, code: "form_param_value_invalid", param: "limit"},
		"offset -1":      {method: "GET", path: "/v1/organizations?offset=-1", status: 422, code: "form_param_value_invalid", param: "offset"},
		"order unknown":  {method: "GET", path: "/v1/organizations?order_by=slug", status: 422, code: "form_param_value_invalid", param: "order_by"},
		"query unknown":  {method: "GET", path: "/v1/organizations?cursor=x", status: 422, code: "form_param_unknown", param: "cursor"},
		"101 ids":        {method: "GET", path: "/v1/organizations?" + strings.Repeat("organization_id=a&", 101), status: 422, code: "form_param_value_invalid", param: "organization_id"},
		"query in a get": {method: "GET", path: "/v1/organizations/org_1?fields=id", status: 422, code: "form_param_unknown", param: "fields"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, clerktest.Config{})
			e.AddOrganization("org_1", "Acme")
			edits := []func(*http.Request){}
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			got := e.do(test.method, test.path, test.body, edits...)
			if got.status != test.status || got.code != test.code || got.param != test.param {
				t.Errorf("got %d %q %q, want %d %q %q: %s",
					got.status, got.code, got.param, test.status, test.code, test.param, got.body)
			}
			if got.trace == "" || got.trace != got.header.Get("Clerk-Trace-Id") {
				t.Errorf("clerk_trace_id %q, Clerk-Trace-Id %q", got.trace, got.header.Get("Clerk-Trace-Id"))
			}
			if writes := e.Writes(); len(writes) != 0 {
				t.Errorf("a refused request has written: %v", writes)
			}
		})
	}
}
