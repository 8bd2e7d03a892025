package clerktest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestOrganizationLifecycle(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	before := time.Now().UnixMilli()
	created := e.do("POST", "/v1/organizations",
		`{"name":"Acme Roofing","public_metadata":{"a":1},"private_metadata":null,"created_by":"user_1"}`).decode(t)
	id, _ := created["id"].(string)
	want := map[string]any{
		"object": "organization", "name": "Acme Roofing", "slug": "acme-roofing", "created_by": "user_1",
		"has_image": false, "admin_delete_enabled": true, "max_allowed_memberships": json.Number("5"),
		"public_metadata": map[string]any{"a": json.Number("1")}, "private_metadata": map[string]any{},
		"id": id, "image_url": created["image_url"],
		"created_at": created["created_at"], "updated_at": created["updated_at"],
	}
	if diff := cmp.Diff(want, created); diff != "" {
		t.Error(diff)
	}
	if at, err := created["updated_at"].(json.Number).Int64(); err != nil || at < before || at > before+60_000 {
		t.Errorf("updated_at %v is not in milliseconds", created["updated_at"])
	}
	for _, idOrSlug := range []string{id, "acme-roofing"} {
		if diff := cmp.Diff(created, e.do("GET", "/v1/organizations/"+idOrSlug, "").decode(t)); diff != "" {
			t.Errorf("by %s: %s", idOrSlug, diff)
		}
	}

	changed := e.do("PATCH", "/v1/organizations/"+id, `{"name":"Acme Roofs","slug":"acme","max_allowed_memberships":0}`).decode(t)
	if changed["name"] != "Acme Roofs" || changed["slug"] != "acme" || changed["max_allowed_memberships"] != json.Number("0") {
		t.Errorf("after PATCH: %v", changed)
	}
	deleted := e.do("DELETE", "/v1/organizations/"+id, "").decode(t)
	if diff := cmp.Diff(map[string]any{"object": "organization", "id": id, "deleted": true}, deleted); diff != "" {
		t.Error(diff)
	}
	if got := e.do("GET", "/v1/organizations/"+id, ""); got.status != http.StatusNotFound {
		t.Errorf("after DELETE: %d", got.status)
	}
}

func TestSlugsAreUnique(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	first, second, third := e.AddOrganization("org_1", "Acme"), e.AddOrganization("org_2", "Acme"), e.AddOrganization("org_3", "…")
	if first.Slug != "acme" || second.Slug != "acme-2" || third.Slug != "3" {
		t.Errorf("slugs %q, %q, %q", first.Slug, second.Slug, third.Slug)
	}
}

func TestListOrganizations(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	for i := range 12 {
		e.AddOrganization("org_"+strconv.Itoa(i), "Roofer "+string(rune('L'-i)))
	}
	tests := map[string]struct {
		want  []string
		total int
	}{
		"":                              {ids(11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 12},
		"?limit=2":                      {ids(11, 10), 12},
		"?limit=500":                    {ids(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 12},
		"?limit=5&offset=10":            {ids(1, 0), 12},
		"?offset=99":                    {ids(), 12},
		"?limit=2&order_by=name":        {ids(11, 10), 12},
		"?limit=2&order_by=-name":       {ids(0, 1), 12},
		"?limit=2&order_by=+created_at": {ids(0, 1), 12},
		"?limit=2&order_by=" + url.QueryEscape("+created_at"): {ids(0, 1), 12},
		"?query=org_7":      {ids(7), 1},
		"?query=ROOFER%20c": {ids(9), 1},
		"?organization_id=org_3&organization_id=org_5":      {ids(5, 3), 2},
		"?organization_id=%2Borg_3&organization_id=unknown": {ids(3), 1},
		"?limit=1&organization_id=-org_11":                  {ids(10), 11},
	}
	for query, test := range tests {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := e.do("GET", "/v1/organizations"+query, "").decode(t)
			listed := []string{}
			for _, item := range got["data"].([]any) {
				listed = append(listed, item.(map[string]any)["id"].(string))
			}
			if diff := cmp.Diff(test.want, listed); diff != "" {
				t.Error(diff)
			}
			if got["total_count"] != json.Number(strconv.Itoa(test.total)) {
				t.Errorf("total_count %v, want %d", got["total_count"], test.total)
			}
		})
	}
}

func ids(numbers ...int) []string {
	out := []string{}
	for _, n := range numbers {
		out = append(out, "org_"+strconv.Itoa(n))
	}
	return out
}
