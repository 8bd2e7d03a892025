package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// demoExpiry is for how long the insurance of the demo lasts.
const demoExpiry = 3 * time.Second

// expire insures an organization for a few seconds, and then does nothing.
func (s *story) expire(ctx context.Context) error {
	org := s.organizations[0]
	expiry := time.Now().Add(demoExpiry)
	s.say("%s has an insurance that runs out in %s, and nobody writes anything …", org.Name, demoExpiry)
	policies := map[string]any{"insurance_policies": []scoring.InsurancePolicy{
		{Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: expiry},
	}}
	if err := s.api.do(ctx, http.MethodPut, org.ID, "/facts", policies, nil); err != nil {
		return err
	}
	for _, insured := range []bool{true, false} {
		if err := s.untilInsured(ctx, *org.ClerkOrgID, insured); err != nil {
			return err
		}
	}
	s.say("  Clerk says that it is not insured, %s after the insurance ran out", since(expiry))
	return nil
}

// untilInsured waits until Clerk says so.
func (s *story) untilInsured(ctx context.Context, clerkOrgID string, insured bool) error {
	waiting, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	err := s.clerk.WaitFor(waiting, func() bool {
		says := s.comparison(apiOrganization{ClerkOrgID: &clerkOrgID}).clerk.InsuranceValid
		return says != nil && *says == insured
	})
	if err != nil {
		return fmt.Errorf("waiting for Clerk to say insurance_valid = %t of %s: %w", insured, clerkOrgID, err)
	}
	return nil
}

// drift has somebody edit Clerk by hand, and the drift check find that.
func (s *story) drift(ctx context.Context) error {
	s.say("Somebody edits three organizations at Clerk by hand …")
	edits := []string{
		`{"certification_tier":"MASTER_ROOFER","compliance_score":100,"insurance_valid":true,"theirs":1}`,
		`{"certification_tier":"CERTIFIED","compliance_score":"97"}`,
		`{}`,
	}
	// Not the first, whose push may not be acknowledged yet: what is on its way is not called drift.
	for i, org := range s.organizations[1 : 1+len(edits)] {
		s.clerk.EditMetadata(*org.ClerkOrgID, []byte(edits[i]), nil)
	}
	report, err := s.monolith.sync.CheckDrift(ctx, jobs.NewWaker(s.monolith.river), claimsync.DriftOptions{Repair: true})
	if err != nil {
		return err
	}
	s.say("  the drift check compared %d organizations in %d calls and found %d", report.Compared, report.ListCalls, report.Drifted)
	if report.Drifted != len(edits) || report.Repaired != len(edits) {
		return fmt.Errorf("%d organizations were edited, %d found to differ, %d handed over to be repaired",
			len(edits), report.Drifted, report.Repaired)
	}
	return s.untilInStep(ctx, report.FinishedAt)
}
