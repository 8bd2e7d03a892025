package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

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
