package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// month is a service that was down for a month: scores and Clerk are as they were then.
type month struct {
	lapsed int // organizations whose insurance has run out meanwhile
	aged   int // organizations whose score has fallen otherwise

	// overtaken is how many of the latter may be pushed before the last of the former, in percent. A process that has no more
	// of those goes on with these, while the workers of another still have some.
	overtaken float64
}

const (
	downFor = 30 * 24 * time.Hour

	// startSlack is what a fleet that has just started may take to calculate and push the first of a backlog, beside what
	// the budget allows: three processes start on two processors.
	startSlack = 5 * time.Second
)

func (s month) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.lapsed + s.aged, clerk: clerkOf(production), environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := s.prepare(ctx, f); err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := f.startMore(ctx, processes); err != nil {
			return nil, err
		}
		budget := drainTime(s.lapsed+s.aged, outbox.DefaultShare*production)
		calculated, err := until(ctx, begun, 2*budget+time.Minute, f.nothingDue)
		if err != nil {
			return nil, err
		}
		inStep, err := until(ctx, begun, 2*budget+time.Minute, f.inStepAndClean)
		if err != nil {
			return nil, err
		}
		return s.judge(f, begun, calculated, inStep), nil
	})
}

// prepare makes the organizations as they were a month ago.
func (s month) prepare(ctx context.Context, f *fleet) error {
	now := time.Now()
	then := now.Add(-downFor)
	var given []scoring.OrganizationFacts
	for org := range sample.Organizations(3, s.lapsed+s.aged, then) {
		i := len(given)
		org.ID, org.ClerkOrgID = fmt.Sprintf("o%d", i), &f.keys[i]
		org.CertificationTier = scoring.Certified
		meanwhile := then.Add(downFor / time.Duration(s.lapsed+s.aged+1) * time.Duration(i+1))
		policy := func(t scoring.PolicyType, expiry time.Time) scoring.InsurancePolicy {
			return scoring.InsurancePolicy{Type: t, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: expiry}
		}
		if i < s.lapsed {
			org.InsurancePolicies = []scoring.InsurancePolicy{policy(scoring.PublicLiability, meanwhile)}
		} else {
			org.InsurancePolicies = []scoring.InsurancePolicy{
				policy(scoring.PublicLiability, now.Add(10*downFor)), policy(scoring.ProfessionalIndemnity, meanwhile),
			}
		}
		given = append(given, org)
	}
	if err := f.importAll(ctx, given, then); err != nil {
		return err
	}
	due, err := query[int](ctx, f, `SELECT count(*) FROM organizations WHERE recalculate_at < now()`)
	if err == nil && due != len(given) {
		err = fmt.Errorf("%d of %d organizations are due", due, len(given))
	}
	lapsed, lapsedErr := query[int](ctx, f, `SELECT count(*) FROM organizations WHERE insured_until < now()`)
	if lapsedErr == nil && lapsed != s.lapsed {
		lapsedErr = fmt.Errorf("the insurance of %d organizations has run out, not of %d", lapsed, s.lapsed)
	}
	return errors.Join(err, lapsedErr, f.forgetMarks(ctx))
}

func (f *fleet) nothingDue(ctx context.Context) (bool, error) {
	due, err := query[int](ctx, f, `SELECT count(*) FROM organizations WHERE recalculate_at < now()`)
	return due == 0, err
}

func (s month) judge(f *fleet, begun time.Time, calculated, inStep elapsed) []bound {
	lapses := map[string]bool{} // those of which Clerk has not been told yet
	for _, key := range f.keys[:s.lapsed] {
		lapses[key] = true
	}
	before, flipped := 0, elapsed{beyond: true}
	for _, write := range f.clerk.Writes() {
		switch {
		case lapses[write.Organization]:
			delete(lapses, write.Organization)
			flipped = elapsed{Duration: write.Applied.Sub(begun), beyond: len(lapses) > 0}
		case len(lapses) > 0:
			before++
		}
	}
	budgetOf := func(pushes int) time.Duration { return drainTime(pushes, outbox.DefaultShare*production) }
	calls := f.calls()
	return []bound{
		within(budgetOf(s.lapsed)+startSlack, "insurance_valid is false where it has to be, after the start", flipped),
		{
			what: "… other pushes that came before", seen: 100 * float64(before) / float64(s.aged), unit: percent,
			promise: atMost, limit: s.overtaken,
		},
		took("all are calculated, after the start", calculated),
		within(budgetOf(s.lapsed+s.aged)+drainSlack, "all in step, after the start", inStep),
		zero("answers 429", len(calls.tooMany())),
		counted("insurances that had run out", s.lapsed),
		counted("other scores that had fallen", s.aged),
		counted("pushes", len(calls.pushes())),
	}
}
