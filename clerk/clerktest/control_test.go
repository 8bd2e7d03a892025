package clerktest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestControlLimits(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	e.do("PATCH", "/v1/organizations/org_1/metadata", `{}`)
	const organization = `"organization":{"requests":10,"window":"10s"},` +
		`"organizations":{"org_1":{"requests":10,"window":"10s","used":1}}}` + "\n"
	want := `{"instance":{"requests":100,"window":"10s","used":1},` + organization
	if got := e.do("GET", "/_control/limits", ""); got.body != want {
		t.Errorf("GET: %s", got.body)
	}
	want = `{"instance":{"requests":1,"window":"10s","used":1},` + organization
	if got := e.do("PUT", "/_control/limits", `{"instance":{"requests":1}}`); got.body != want {
		t.Errorf("PUT: %s", got.body)
	}
	if got := e.do("GET", "/v1/organizations", ""); got.status != http.StatusTooManyRequests {
		t.Errorf("the lowered limit lets pass: %d", got.status)
	}
	if got := e.do("GET", "/_control/limits", ""); !strings.Contains(got.body, `"used":1,"blocked_until":"20`) {
		t.Errorf("GET: %s", got.body)
	}
	for _, bad := range []string{
		``, `{"instance":{"requests":0}}`, `{"organization":{"requests":-2}}`, `{"instance":{"window":"0s"}}`, `{"limit":1}`,
	} {
		if got := e.do("PUT", "/_control/limits", bad); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"example"`) {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
}

// A rotated key: the old one is refused from then on, and the emulator never tells the new one.
func TestControlSecretKey(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	if got := e.do("PUT", "/_control/secret-key", `{"secret_key":"sk_test_rotated"}`); got.status != http.StatusNoContent {
		t.Fatalf("PUT: %d %s", got.status, got.body)
	}
	if got, _ := e.push(t.Context(), "org_1"); got.status != 401 || got.code != "clerk_key_invalid" {
		t.Errorf("the old key: %d %s", got.status, got.body)
	}
	withNew := func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk_test_rotated") }
	if got := e.do("GET", "/v1/organizations", "", withNew); got.status != 200 {
		t.Errorf("the new key: %d %s", got.status, got.body)
	}
	for _, bad := range []string{`{}`, `{"secret_key":"pk_test_x"}`} {
		if got := e.do("PUT", "/_control/secret-key", bad); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
}

// What there is can be found out from what there is not.
func TestControlTeaches(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	var index struct {
		Endpoints []struct{ Method, Path, Does string }
	}
	if err := json.Unmarshal([]byte(e.do("GET", "/_control/", "").body), &index); err != nil || len(index.Endpoints) < 10 {
		t.Fatalf("%v, %v", index, err)
	}
	for _, endpoint := range index.Endpoints {
		if endpoint.Does == "" {
			t.Errorf("%+v", endpoint)
		}
		if endpoint.Method == "GET" {
			if got := e.do("GET", endpoint.Path, ""); got.status != http.StatusOK {
				t.Errorf("GET %s: %d %s", endpoint.Path, got.status, got.body)
			}
		}
	}
	if got := e.do("GET", "/_control/fault", ""); got.status != 404 || !strings.Contains(got.body, "GET /_control/ lists") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("POST", "/_control/faults", ""); got.status != 405 || got.header.Get("Allow") != "GET, PUT, DELETE" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
}

func TestControlHistory(t *testing.T) {
	t.Parallel()
	e := pushable(t)
	for _, organization := range []string{"org_1", "org_2", "org_1"} {
		if _, err := e.push(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string][]int64{
		"": {1, 2, 3}, "?organization=org_1": {1, 3}, "?after=2": {3}, "?organization=org_1&after=1": {3}, "?after=3": {},
		"?limit=2": {2, 3}, "?limit=2&after=0": {1, 2}, "?limit=1&after=1": {2}, "?limit=9": {1, 2, 3},
	} {
		for _, kind := range []string{"writes", "requests"} {
			var got map[string][]struct{ Seq int64 }
			if err := json.Unmarshal([]byte(e.do("GET", "/_control/"+kind+query, "").body), &got); err != nil {
				t.Fatal(err)
			}
			seqs := []int64{}
			for _, entry := range got[kind] {
				seqs = append(seqs, entry.Seq)
			}
			if diff := cmp.Diff(want, seqs); diff != "" {
				t.Errorf("%s%s: %s", kind, query, diff)
			}
		}
	}
	for _, bad := range []string{"?after=x", "?after=-1", "?limit=all"} {
		if got := e.do("GET", "/_control/requests"+bad, ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
}
