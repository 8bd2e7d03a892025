package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

const (
	demoOrganizations = 60
	// demoSeed and the next make the organizations before and after.
	demoSeed = 1
	// demoOutage is how long Clerk fails.
	demoOutage = 3 * time.Second
	// demoPatience is how long Clerk's copy may take to follow before the demo has failed. It is generous: what is
	// usual is printed, and a busy machine is no failure.
	demoPatience = 30 * time.Second
	// demoWait is how long the changes that go on wait for Clerk to follow, before the next one.
	demoWait = 2 * time.Second
)

// scenario plays the story and checks its end. It returns the Clerk id of the organization that asked the satellite.
func (s *stage) scenario(ctx context.Context) (asker string, err error) {
	organizations := slices.Collect(sample.Organizations(demoSeed, demoOrganizations, time.Now()))
	story := &story{stage: s, organizations: organizations, before: map[string]apiOrganization{}}
	for _, act := range []func(context.Context) error{
		story.importAll, story.changeFacts, story.promote, story.outage, story.link, story.expire, story.drift, story.decide,
	} {
		if err := act(ctx); err != nil {
			return "", err
		}
	}
	return *organizations[0].ClerkOrgID, story.end(ctx)
}

// story is the scenario under way.
type story struct {
	*stage
	organizations []scoring.OrganizationFacts
	before        map[string]apiOrganization
}

func (s *story) importAll(ctx context.Context) error {
	unlinked := 0
	for _, org := range s.organizations {
		if org.ClerkOrgID == nil {
			unlinked++
			continue
		}
		s.clerk.AddOrganization(*org.ClerkOrgID, org.Name)
	}
	s.say("Importing %d organizations, %d of them without a Clerk id …", len(s.organizations), unlinked)
	err := db.Transact(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := s.monolith.store.ImportTx(ctx, tx, s.organizations, time.Time{})
		return err
	})
	if err != nil {
		return err
	}
	if err := s.untilInStep(ctx, time.Now()); err != nil {
		return err
	}
	for _, org := range s.organizations {
		if s.before[org.ID], err = s.api.organization(ctx, org.ID); err != nil {
			return err
		}
	}
	return nil
}

// changeFacts gives every organization the facts of another one.
func (s *story) changeFacts(ctx context.Context) error {
	s.say("Changing the facts of all %d through the API …", len(s.organizations))
	last, err := s.replaceFacts(ctx, demoSeed+1, func(int) bool { return true })
	if err != nil {
		return err
	}
	return s.untilInStep(ctx, last)
}

// promote raises whoever is eligible to the next tier.
func (s *story) promote(ctx context.Context) error {
	promoted := 0
	for _, org := range s.organizations {
		now, err := s.api.organization(ctx, org.ID)
		if err != nil {
			return err
		}
		if now.TierEligibility.NextTier == nil || !now.TierEligibility.Eligible {
			continue
		}
		change := map[string]any{"certification_tier": *now.TierEligibility.NextTier}
		if err := s.api.do(ctx, http.MethodPatch, org.ID, "", change, nil); err != nil {
			return err
		}
		promoted++
	}
	s.say("Promoting the %d that are eligible for the next tier …", promoted)
	if promoted == 0 {
		return errors.New("nobody is eligible for the next tier: the sample is not what it should be")
	}
	return s.untilInStep(ctx, time.Now())
}

// outage changes a third of the organizations while Clerk answers 503 to everything.
func (s *story) outage(ctx context.Context) error {
	s.say("Clerk fails for %s, and the facts of a third change meanwhile …", demoOutage)
	s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: http.StatusServiceUnavailable})
	started, calls := time.Now(), len(s.clerk.Requests())
	if _, err := s.replaceFacts(ctx, demoSeed+2, func(i int) bool { return i%3 == 0 }); err != nil {
		return err
	}
	s.say("  the API did not notice: its answers took %s in all", since(started))
	select {
	case <-time.After(demoOutage - time.Since(started)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.expectOpenBreaker(ctx); err != nil {
		return err
	}
	s.say("  it was called %d times, probes included: the breaker had opened", len(s.clerk.Requests())-calls)
	s.clerk.ClearFaults()
	return s.untilInStep(ctx, time.Now())
}

// expectOpenBreaker checks that the fleet has noticed.
func (s *story) expectOpenBreaker(ctx context.Context) error {
	standing, err := s.monolith.sync.Outbox().Standing(ctx, s.pool, claimsync.Topic)
	switch {
	case err != nil:
		return err
	case standing.Breaker == nil:
		return errors.New("the breaker is closed, though Clerk fails")
	default:
		return nil
	}
}

// link gives one of the organizations that were skipped a Clerk id.
func (s *story) link(ctx context.Context) error {
	for i := range s.organizations {
		org := &s.organizations[i]
		if org.ClerkOrgID != nil {
			continue
		}
		s.say("Linking %s to Clerk …", org.Name)
		clerkOrgID := fmt.Sprintf("org_demo%dlinked", i)
		s.clerk.AddOrganization(clerkOrgID, org.Name)
		org.ClerkOrgID = &clerkOrgID
		change := map[string]any{"clerk_org_id": clerkOrgID}
		if err := s.api.do(ctx, http.MethodPatch, org.ID, "", change, nil); err != nil {
			return err
		}
		return s.untilInStep(ctx, time.Now())
	}
	return errors.New("every organization is linked: the sample is not what it should be")
}

// end shows the table, and checks once more what it shows.
func (s *story) end(ctx context.Context) error {
	comparisons, err := s.compare(ctx)
	if err != nil {
		return err
	}
	s.say("")
	if err := s.printTable(comparisons); err != nil {
		return err
	}
	linked, skipped, differing := 0, 0, 0
	for _, c := range comparisons {
		switch {
		case c.postgres.ClerkOrgID == nil:
			skipped++
		case c.inStep():
			linked++
		default:
			differing++
		}
	}
	s.say("\n%d in step, %d skipped for want of a Clerk id, %d different.", linked, skipped, differing)
	if differing > 0 {
		return fmt.Errorf("%d organizations differ between Postgres and Clerk", differing)
	}
	if calls := s.callsForOthers(); calls > 0 {
		return fmt.Errorf("%d calls to Clerk were for organizations that are not linked", calls)
	}
	return nil
}

// replaceFacts gives the chosen organizations new facts through the API. Returns when the last was answered.
func (s *story) replaceFacts(ctx context.Context, seed uint64, chosen func(int) bool) (time.Time, error) {
	next, stop := iter.Pull(sample.Organizations(seed, len(s.organizations), time.Now()))
	defer stop()
	for i := range s.organizations {
		other, _ := next()
		if !chosen(i) {
			continue
		}
		if err := s.api.do(ctx, http.MethodPut, s.organizations[i].ID, "/facts", other.Facts, nil); err != nil {
			return time.Time{}, err
		}
	}
	return time.Now(), nil
}

// trickle changes an organization every two seconds, until ctx is done.
func (s *stage) trickle(ctx context.Context) error {
	organizations := slices.Collect(sample.Organizations(demoSeed, demoOrganizations, time.Now()))
	story := &story{stage: s, organizations: organizations}
	for seed := uint64(100); ; seed++ {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.monolith.serveErr:
			return err
		case <-time.After(2 * time.Second):
		}
		chosen := rand.IntN(len(organizations))
		if err := story.changeOne(ctx, seed, chosen); err != nil {
			return err
		}
	}
}

func (s *story) changeOne(ctx context.Context, seed uint64, chosen int) error {
	id := s.organizations[chosen].ID
	before, err := s.api.organization(ctx, id)
	if err != nil {
		return err
	}
	answered, err := s.replaceFacts(ctx, seed, func(i int) bool { return i == chosen })
	if err != nil {
		return err
	}
	after, err := s.api.organization(ctx, id)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s  %-36s score %3d → %3d", time.Now().Format(time.TimeOnly), after.Name, before.Score, after.Score)
	if after.ClerkOrgID == nil {
		s.say("%s  skipped: no Clerk id", line)
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	err = s.clerk.WaitFor(waiting, func() bool { return s.comparison(after).inStep() })
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		s.say("%s  not at Clerk yet\n          go run ./cmd/app why %s", line, id) // somebody is rehearsing an outage
	default:
		s.say("%s  at Clerk after %s", line, since(answered))
	}
	return nil
}
