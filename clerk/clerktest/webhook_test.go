package clerktest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Every change is told, in order, with Clerk's body.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	e, r := start(t, clerktest.WithoutLimits()), receive(t, http.StatusOK)
	e.hooked(r, clerktest.WebhookConfig{})
	id, _ := e.do("POST", "/v1/organizations", `{"name":"Acme","private_metadata":{"secret":1}}`).decode(t)["id"].(string)
	e.do("PATCH", "/v1/organizations/"+id, `{"name":"Acme Roofs"}`)
	e.do("PATCH", "/v1/organizations/"+id+"/metadata", push)
	e.do("GET", "/v1/organizations/"+id, "")
	e.do("PATCH", "/v1/organizations/"+id+"/metadata", `{"oops":1}`)
	e.EditMetadata(id, []byte(`{"b":2}`), nil)
	e.do("DELETE", "/v1/organizations/"+id, "")
	e.RemoveOrganization(id) // which is not there any more
	e.waitForDeliveries(5)

	var types []string
	for _, event := range r.all() {
		types = append(types, strings.TrimPrefix(event.Type, "organization."))
		if _, leaked := event.Data["private_metadata"]; leaked || event.Data["id"] != id || time.Since(event.At) > time.Minute {
			t.Errorf("%+v", event)
		}
	}
	if diff := cmp.Diff([]string{"created", "updated", "updated", "updated", "deleted"}, types); diff != "" {
		t.Fatal(diff)
	}
	all := r.all()
	if diff := cmp.Diff(map[string]any{"a": 1.0}, all[2].Data["public_metadata"]); diff != "" {
		t.Errorf("the state is not that of the event: %s", diff)
	}
	if diff := cmp.Diff(map[string]any{"object": "organization", "id": id, "deleted": true}, all[4].Data); diff != "" {
		t.Errorf("deleted: %s", diff)
	}
	if err := e.SetWebhooks(clerktest.WebhookConfig{}); err != nil {
		t.Error(err)
	}
	e.AddOrganization("org_2", "Other")
	if e.Close() != nil || len(r.all()) != 5 {
		t.Errorf("after the end: %v", r.all())
	}
}

func TestControlWebhooks(t *testing.T) {
	t.Parallel()
	e, r := pushable(t), receive(t, http.StatusOK)
	put := `{"url":"` + r.URL + `","events":["organization.deleted"],"retry_delay":"5ms"}`
	if got := e.do("PUT", "/_control/webhooks", put); got.status != 200 || strings.Contains(got.body, "whsec_") ||
		!strings.Contains(got.body, `"retry_delay":"5ms"`) {
		t.Errorf("PUT: %d %s", got.status, got.body)
	}
	e.AddOrganization("org_3", "Unwanted event")
	e.RemoveOrganization("org_3")
	e.waitForDeliveries(1)
	if got := e.do("GET", "/_control/deliveries", ""); !strings.Contains(got.body, `"type":"organization.deleted","organization":"org_3","attempt":1`) {
		t.Errorf("deliveries: %s", got.body)
	}
	for _, bad := range []string{
		`{}`, `{"url":"x"}`, `{"url":"ftp://h/"}`, `{"url":"http://h/","secret":"whsec_"}`, `{"url":"http://h/","attempts":-1}`,
		`{"url":"http://h/","events":["user.created"]}`, `{"url":"http://h/","spread":"-1s"}`,
	} {
		if got := e.do("PUT", "/_control/webhooks", bad); got.status != 400 {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
	if got := e.do("DELETE", "/_control/webhooks", ""); got.status != 204 {
		t.Errorf("DELETE: %d", got.status)
	}
	e.RemoveOrganization("org_1")
	if e.Close() != nil || len(r.all()) != 1 {
		t.Errorf("%v", r.all())
	}
}
