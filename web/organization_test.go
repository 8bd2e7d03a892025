package web_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

func TestOrganizationLife(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))

	created := a.do("POST", "/v1/organizations", `{"id": "acme:1", "name": "Acme", "clerk_org_id": "org_1"}`)
	if created.status != http.StatusCreated || created.header.Get("Location") != "/v1/organizations/acme:1" {
		t.Fatalf("create: %d %s %v", created.status, created.body, created.header)
	}
	org := created.json(t)
	diff(t, "sync after create", object{
		"state": "dirty", "desired_version": 1.0, "synced_version": 0.0, "dirty_since": syncOf(org)["dirty_since"],
		"synced_at": nil, "last_error": nil, "parked_reason": nil,
	}, syncOf(org))
	diff(t, "fields", []string{
		"breakdown", "calculated_at", "certification_tier", "clerk_org_id", "compliance_score", "id", "insurance_valid",
		"issues", "name", "sync", "tier_eligibility",
	}, slices.Sorted(maps.Keys(org)))
	diff(t, "what create answers, read again", org, a.must(200, "GET", "/v1/organizations/acme:1", ""))

	scored := a.must(200, "PUT", "/v1/organizations/acme:1/facts", `{
		"members": [{"role": "OWNER", "lbp_number": "BP1", "lbp_verified": true, "lbp_status": "CURRENT", "lbp_expiry": null}],
		"insurance_policies": [
			{"policy_type": "PUBLIC_LIABILITY", "coverage_amount": 1000000.00, "expiry_date": "9999-12-31T23:59:59Z"}]}`)
	if scored["insurance_valid"] != true || syncOf(scored)["desired_version"] != 2.0 {
		t.Errorf("after new facts: %v", scored)
	}
	if breakdown := scored["breakdown"].(object); breakdown["personnel"].(object)["score"] != 90.0 {
		t.Errorf("personnel: %v", breakdown["personnel"])
	}
	diff(t, "what PUT facts answers, read again", scored, a.must(200, "GET", "/v1/organizations/acme:1", ""))

	kept := a.must(200, "PUT", "/v1/organizations/acme:1/facts", `{"members": []}`)
	if kept["insurance_valid"] != true || kept["compliance_score"] == scored["compliance_score"] {
		t.Errorf("after replacing the members only: %v", kept)
	}

	raised := a.must(200, "PATCH", "/v1/organizations/acme:1", `{"certification_tier": "CERTIFIED"}`)
	if raised["name"] != "Acme" || raised["clerk_org_id"] != "org_1" || raised["certification_tier"] != "CERTIFIED" {
		t.Errorf("after a new tier: %v", raised)
	}
	diff(t, "an empty PATCH", syncOf(raised), syncOf(a.must(200, "PATCH", "/v1/organizations/acme:1", `{}`)))
	diff(t, "a recalculation that finds nothing new", syncOf(raised),
		syncOf(a.must(200, "POST", "/v1/organizations/acme:1/recalculate", "")))

	pushed := a.must(202, "POST", "/v1/organizations/acme:1/sync", `{}`)
	if before, after := syncOf(raised)["desired_version"], syncOf(pushed)["desired_version"]; after != before.(float64)+1 {
		t.Errorf("sync: version %v after %v", after, before)
	}

	a.must(204, "DELETE", "/v1/organizations/acme:1", "")
	a.must(404, "GET", "/v1/organizations/acme:1", "")
	if !strings.Contains(a.contents(), "(clerk_organization,org_1,6,0,") {
		t.Errorf("the claims at Clerk have to go, but the outbox is not marked:\n%s", a.contents())
	}
}

func TestLinkAndUnlink(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	org := a.must(201, "POST", "/v1/organizations",
		`{"name": "Zoë’s Roofs", "clerk_org_id": null, "certification_tier": "MASTER_ROOFER"}`)
	path := "/v1/organizations/" + org["id"].(string)
	unlinked := object{
		"state": "unlinked", "desired_version": 0.0, "synced_version": 0.0, "dirty_since": nil, "synced_at": nil,
		"last_error": nil, "parked_reason": nil,
	}
	diff(t, "sync of an unlinked organization", unlinked, syncOf(org))
	if conflict := a.must(409, "POST", path+"/sync", ""); conflict["status"] != 409.0 {
		t.Errorf("sync of an unlinked organization: %v", conflict)
	}

	linked := a.must(200, "PATCH", path, `{"clerk_org_id": "org_A", "name": "Zoë"}`)
	if linked["name"] != "Zoë" || syncOf(linked)["state"] != "dirty" {
		t.Errorf("linked: %v", linked)
	}
	diff(t, "sync after unlinking", unlinked, syncOf(a.must(200, "PATCH", path, `{"clerk_org_id": null}`)))
}

func TestSyncStates(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O", "clerk_org_id": "org_1"}`)
	state := func() object { return syncOf(a.must(200, "GET", "/v1/organizations/o", "")) }

	a.exec(`UPDATE outbox SET synced_version = 1, dirty_since = NULL, job_id = NULL, synced_at = '2026-05-22T14:15:41.5Z'`)
	if s := state(); s["state"] != "clean" || s["synced_at"] != "2026-05-22T14:15:41.500Z" || s["dirty_since"] != nil {
		t.Errorf("clean: %v", s)
	}
	a.exec(`UPDATE outbox SET desired_version = 2, dirty_since = now(), parked_at = now(), parked_reason = 'park 422',
		last_error = 'refused'`)
	if s := state(); s["state"] != "parked" || s["parked_reason"] != "park 422" || s["last_error"] != "refused" {
		t.Errorf("parked: %v", s)
	}
	a.exec(`DELETE FROM outbox`)
	if s := state(); s["state"] != "dirty" || s["desired_version"] != 0.0 {
		t.Errorf("linked and never marked: %v", s)
	}
}

func TestNotCalculated(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.exec(`INSERT INTO organizations (id, name) VALUES ('new', 'New')`)
	org := a.must(200, "GET", "/v1/organizations/new", "")
	for _, field := range []string{
		"compliance_score", "insurance_valid", "breakdown", "issues", "tier_eligibility", "calculated_at",
	} {
		if value, there := org[field]; !there || value != nil {
			t.Errorf("%s: %v, want null", field, value)
		}
	}
}
