package clerktest_test

import (
	"net/http"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestInstance(t *testing.T) {
	t.Parallel()
	for key, kind := range map[string]string{clerktest.DefaultSecretKey: "development", "sk_live_x": "production"} {
		e := start(t, clerktest.Config{SecretKey: key})
		got := e.do("GET", "/v1/instance", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) })
		want := `{"object":"instance","id":"ins_clerktest","environment_type":"` + kind + `","allowed_origins":null}`
		if got.status != http.StatusOK || got.body != want {
			t.Errorf("%s: %d %s, want %s", key, got.status, got.body, want)
		}
	}
}

// Without the feature each endpoint about organizations refuses, and nothing is lost.
func TestOrganizationsSwitchedOff(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	if got := e.do("PUT", "/_control/organizations", `{"enabled":false}`); got.status != http.StatusNoContent {
		t.Fatalf("switching off: %d %s", got.status, got.body)
	}
	for _, endpoint := range endpoints {
		status, code := http.StatusForbidden, "organization_not_enabled_in_instance"
		switch {
		case endpoint.path == "/v1/instance":
			status, code = http.StatusOK, ""
		case endpoint.path == "/v1/organizations/org_1/metadata", endpoint.method == http.MethodDelete:
			status, code = http.StatusNotFound, "resource_not_found"
		}
		if got := e.do(endpoint.method, endpoint.path, endpoint.body); got.status != status || got.code != code {
			t.Errorf("%s %s: %d %s", endpoint.method, endpoint.path, got.status, got.body)
		}
	}
	if got := e.do("PUT", "/_control/organizations", `{}`); got.status != http.StatusBadRequest {
		t.Errorf("neither on nor off: %d %s", got.status, got.body)
	}
	e.EnableOrganizations(true)
	if got := e.do("GET", "/v1/organizations/org_1", ""); got.status != http.StatusOK {
		t.Errorf("on again: %d %s", got.status, got.body)
	}
}
