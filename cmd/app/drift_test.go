package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Somebody edits Clerk by hand; somebody else looks, repairs, and looks again.
func TestDrift(t *testing.T) {
	i := install(t, 30)
	c := &console{t, i.environment}
	i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	var linked []string
	for _, org := range i.organizations {
		if org.ClerkOrgID != nil {
			linked = append(linked, *org.ClerkOrgID)
		}
	}
	c.says("drift", "in step, no drift.")
	if status := c.object("status")["drift"].(map[string]any); status["drifted"] != 0.0 || status["finished_at"] == nil ||
		status["failure"] != nil {
		t.Errorf("status: %v", status)
	}

	edited := linked[0]
	i.clerk.EditMetadata(edited, json.RawMessage(`{"certification_tier":"MASTER","compliance_score":"15"}`), nil)
	got := c.run(exitDrift, "drift")
	text := strings.Join(strings.Fields(got.stdout), " ")
	for _, want := range []string{
		edited, `changed certification_tier "MASTER" "`, `wrong type compliance_score "15"`, "missing key insurance_valid - ",
		"1 drifted (1 changed at Clerk, 1 with missing keys, 1 with values of a wrong type).",
		"To have it pushed again: app drift --repair",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("drift does not say %q:\n%s", want, got.stdout)
		}
	}
	var report claimsync.DriftReport
	got = c.run(exitDrift, "drift", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || report.Drifted != 1 || report.Drifts[0].ClerkOrgID != edited ||
		len(report.Drifts[0].Differences) != 3 || report.InStep != len(linked)-1 {
		t.Errorf("%v in %s", err, got.stdout)
	}
	c.says("status", "Clerk was last compared with Postgres at", "1 drifted (1 changed at Clerk,")

	if got = c.run(exitDrift, "drift", "--repair"); !strings.Contains(got.stdout, "One was handed over: some app serve reads it back") {
		t.Errorf("drift --repair:\n%s", got.stdout)
	}
	c.until("it is repaired", func() bool { return i.query("SELECT count(*) FROM outbox_delivery WHERE outcome = 'overwritten'") == 1 })
	i.untilClean()
	c.says("drift", "no drift.")

	i.clerk.AddOrganization("org_stranger", "Stranger")
	i.clerk.RemoveOrganization(edited)
	got = c.run(exitDrift, "drift", "--repair")
	for _, want := range []string{"missing organization", "unknown organization", "PATCH /v1/organizations/ID", "--known-only"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("drift does not say %q:\n%s", want, got.stdout)
		}
	}
	if got = c.run(exitDrift, "drift", "--known-only", "--json"); strings.Contains(got.stdout, "org_stranger") {
		t.Errorf("known only: %s", got.stdout)
	}

	i.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 401})
	if got = c.run(exitFailed, "drift"); !strings.Contains(got.stderr, "check CLERK_SECRET_KEY") || got.stdout != "" {
		t.Errorf("a revoked key: %+v", got)
	}
	i.clerk.ClearFaults()
	c.run(exitOK, "breaker", "open")
	if got = c.run(exitFailed, "drift"); !strings.Contains(got.stderr, "breaker before Clerk is open") {
		t.Errorf("breaker: %+v", got)
	}
}

// What is contested is marked in the table.
func TestDriftContested(t *testing.T) {
	i := install(t, 1)
	c := &console{t, i.environment}
	i.serve()
	i.importAll()
	i.untilInStep()
	i.untilClean()
	key := *i.organizations[0].ClerkOrgID
	i.query(`WITH d AS (INSERT INTO outbox_delivery (topic, key, version, outcome, duration)
		SELECT 'clerk_organization', '` + key + `', 1, 'overwritten', '1 ms' FROM generate_series(1, 3) RETURNING 1) SELECT count(*) FROM d`)
	i.clerk.EditMetadata(key, json.RawMessage(`{}`), nil)
	got := c.run(exitDrift, "drift", "--repair")
	if text := strings.Join(strings.Fields(got.stdout), " "); !strings.Contains(text, "missing key, contested certification_tier - ") ||
		!strings.Contains(text, "One is contested: somebody else writes the same keys") {
		t.Errorf("drift:\n%s", got.stdout)
	}
	c.says("why "+key, "It is contested")
	if why := c.object("why", key); why["contested"] != true {
		t.Errorf("why: %v", why["contested"])
	}
	c.says("status", "1 contested")
}
