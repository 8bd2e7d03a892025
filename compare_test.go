package claimsync_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/scoring"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.work()
	d.create("a", "b")
	d.synced()
	d.edit("a", `{"certification_tier":"CERTIFIED","compliance_score":"87","theirs":1}`)
	got, err := d.sync.Compare(t.Context(), "a")
	d.must(err)
	want := &claimsync.Comparison{
		ClerkOrgID: "org_a",
		Clerk:      map[string]string{"certification_tier": `"CERTIFIED"`, "compliance_score": `"87"`},
		Want:       map[string]string{"certification_tier": `"CERTIFIED"`, "compliance_score": got.Want["compliance_score"], "insurance_valid": "false"},
		Differences: []clerk.Difference{
			{Kind: clerk.WrongType, Key: "compliance_score", Clerk: `"87"`, Want: got.Want["compliance_score"]},
			{Kind: clerk.MissingKey, Key: "insurance_valid", Want: "false"},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(claimsync.Comparison{}, "At")); diff != "" || got.Want["compliance_score"] == "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := d.sync.Compare(t.Context(), "org_b"); err != nil || len(got.Differences) > 0 || got.Missing {
		t.Errorf("one in step: %+v, %v", got, err)
	}
	if n := len(d.clerk.Writes()); n != 2 {
		t.Errorf("%d writes, want only the first two: comparing changes nothing", n)
	}

	d.clerk.RemoveOrganization("org_b")
	if got, err := d.sync.Compare(t.Context(), "b"); err != nil || !got.Missing {
		t.Errorf("one that Clerk does not have: %+v, %v", got, err)
	}
	d.exec(`UPDATE organizations SET clerk_org_id = NULL WHERE id = 'b'`)
	if _, err := d.sync.Compare(t.Context(), "b"); !errors.Is(err, claimsync.ErrUnlinked) {
		t.Errorf("an unlinked one: %v", err)
	}
	if _, err := d.sync.Compare(t.Context(), "nobody"); !errors.Is(err, scoring.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

// The claims that Clerk confirmed are kept, for people to compare with.
func TestAppliedIsKept(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.work()
	d.create("a")
	d.synced()
	want := map[string]any{
		"certification_tier": "CERTIFIED", "compliance_score": 5., "insurance_valid": false,
		"claims_as_of": asOf(t, d.clerk, "org_a").Format(time.RFC3339),
	}
	applied := func() (claims map[string]any) {
		explanation, err := d.sync.Explain(t.Context(), d.river, "a")
		d.must(err)
		d.must(json.Unmarshal(explanation.Row.Applied, &claims))
		return claims
	}
	if diff := cmp.Diff(want, applied()); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	d.exec(`INSERT INTO destination (topic, opened_at, open_cause, open_reason, probe_at)
		VALUES ('clerk_organization', now(), 'operator', 'x', now()) ON CONFLICT (topic) DO UPDATE SET
		opened_at = now(), open_cause = 'operator', open_reason = 'x', probe_at = now()`)
	d.tier("a", scoring.MasterRoofer)
	if diff := cmp.Diff(want, applied()); diff != "" {
		t.Errorf("applied before a change is pushed (-want +got):\n%s", diff)
	}
}
