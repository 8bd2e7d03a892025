package clerktest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	const before = `{"deep":{"gone":1,"kept":[1,2]},"plain":"x"}`
	tests := map[string]struct {
		method, body, want string
	}{
		"merges deeply":               {"PATCH", `{"public_metadata":{"deep":{"new":true}}}`, `{"deep":{"gone":1,"kept":[1,2],"new":true},"plain":"x"}`},
		"null removes at any depth":   {"PATCH", `{"public_metadata":{"plain":null,"deep":{"gone":null}}}`, `{"deep":{"kept":[1,2]}}`},
		"null in what is new":         {"PATCH", `{"public_metadata":{"new":{"a":null,"b":{"c":null}}}}`, `{"deep":{"gone":1,"kept":[1,2]},"new":{"b":{}},"plain":"x"}`},
		"null for what is not there":  {"PATCH", `{"public_metadata":{"never":null}}`, `{"deep":{"gone":1,"kept":[1,2]},"plain":"x"}`},
		"a list replaces":             {"PATCH", `{"public_metadata":{"deep":{"kept":[3]}}}`, `{"deep":{"gone":1,"kept":[3]},"plain":"x"}`},
		"an object replaces a string": {"PATCH", `{"public_metadata":{"plain":{"a":1}}}`, `{"deep":{"gone":1,"kept":[1,2]},"plain":{"a":1}}`},
		"numbers stay as written":     {"PATCH", `{"public_metadata":{"deep":null,"plain":12345678901234567890.10}}`, `{"plain":12345678901234567890.10}`},
		"left out stays":              {"PATCH", `{"private_metadata":{"a":1}}`, `{"deep":{"gone":1,"kept":[1,2]},"plain":"x"}`},
		"PUT replaces":                {"PUT", `{"public_metadata":{"only":1}}`, `{"only":1}`},
		"PUT of what is left out":     {"PUT", `{"private_metadata":{}}`, `{"deep":{"gone":1,"kept":[1,2]},"plain":"x"}`},
		"PUT empties":                 {"PUT", `{"public_metadata":{}}`, `{}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, clerktest.Config{})
			e.AddOrganization("org_1", "Acme")
			e.EditMetadata("org_1", []byte(before), nil)
			got := e.do(test.method, "/v1/organizations/org_1/metadata", test.body)
			if got.status != http.StatusOK || !strings.Contains(got.body, `"public_metadata":`+test.want+`,`) {
				t.Errorf("answer %d %s", got.status, got.body)
			}
			stored, _ := e.Organization("org_1")
			if diff := cmp.Diff(test.want, string(stored.PublicMetadata)); diff != "" {
				t.Errorf("stored: %s", diff)
			}
			writes := e.Writes()
			if len(writes) != 1 || string(writes[0].PublicMetadata) != test.want || writes[0].Method != test.method {
				t.Errorf("writes: %+v", writes)
			}
		})
	}
}

// 8 KB is what the merged whole may have, not the patch: the limit can be hit by a small one.
func TestMetadataSizeCountsTheWhole(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	exactly := `{"a":"` + strings.Repeat("x", 8192-len(`{"a":""}`)) + `"}`
	oneMore := strings.Replace(exactly, "x", "xx", 1)
	if got := e.do("PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":`+oneMore+`}`); got.status == http.StatusOK {
		t.Error("8193 bytes were accepted")
	}
	if got := e.do("PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":`+exactly+`}`); got.status != http.StatusOK {
		t.Fatalf("8192 bytes: %d %s", got.status, got.body)
	}
	got := e.do("PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":{"b":1},"private_metadata":{"b":1}}`)
	if got.code != "form_param_exceeds_allowed_size" {
		t.Errorf("one more member: %d %s", got.status, got.body)
	}
	if o, _ := e.Organization("org_1"); string(o.PrivateMetadata) != `{}` {
		t.Errorf("a refused write was applied in part: %s", o.PrivateMetadata)
	}
}

// The SDK sends its bodies chunked.
func TestChunkedBody(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	e.AddOrganization("org_1", "Acme")
	got := e.do("PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":{"a":1}}`, func(r *http.Request) {
		r.ContentLength = -1
	})
	if got.status != http.StatusOK || e.Requests()[0].BodyBytes != 27 {
		t.Errorf("%d %s, %+v", got.status, got.body, e.Requests())
	}
}

// A write is seen in updated_at, which is in milliseconds; created_at stays.
func TestUpdatedAt(t *testing.T) {
	t.Parallel()
	inBubble(t, clerktest.WithoutLimits(), func(t *testing.T, b *bubble) {
		b.at(1234567 * time.Microsecond)
		got := b.do("PATCH", "/v1/organizations/org_1/metadata", `{"public_metadata":{"a":1}}`).Body.String()
		created, updated := b.began.UnixMilli(), b.began.UnixMilli()+1234
		if want := fmt.Sprintf(`"created_at":%d,"updated_at":%d}`, created, updated); !strings.HasSuffix(got, want) {
			t.Errorf("%s does not end in %s", got, want)
		}
	})
}

func TestAutoCreate(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{AutoCreate: true})
	if got := e.do("GET", "/v1/organizations/org_new", ""); got.status != http.StatusNotFound {
		t.Errorf("a read created it: %d", got.status)
	}
	if got := e.do("PATCH", "/v1/organizations/org_new/metadata", `{"oops":1}`); got.status != http.StatusUnprocessableEntity {
		t.Errorf("refused write: %d", got.status)
	}
	if got := e.do("PATCH", "/v1/organizations/other/metadata", `{}`); got.status != http.StatusNotFound {
		t.Errorf("not an organization's ID: %d", got.status)
	}
	if len(e.Organizations()) != 0 {
		t.Errorf("organizations: %v", e.Organizations())
	}
	if got := e.do("PATCH", "/v1/organizations/org_new/metadata", `{"public_metadata":{"a":1}}`); got.status != http.StatusOK {
		t.Errorf("first write: %d %s", got.status, got.body)
	}
	if o, ok := e.Organization("org_new"); !ok || string(o.PublicMetadata) != `{"a":1}` {
		t.Errorf("%+v", o)
	}
}
