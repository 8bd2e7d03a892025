package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

// expiry is policies that expire, one after the other, in a database with many organizations.
type expiry struct {
	organizations int           // all in all
	policies      int           // that expire, of as many organizations
	after         time.Duration // until the first one does: it is for importing the organizations, and pushing them
	span          time.Duration // from the first to the last
}

// lapseWithin is how soon after a policy has expired Clerk says so, in 99 of 100 cases.
const lapseWithin = 15 * time.Second

func (s expiry) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.policies, clerk: clerkOf(production), environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := f.populate(ctx, s.organizations, false); err != nil {
			return nil, err
		}
		if err := f.startMore(ctx, processes); err != nil {
			return nil, err
		}
		expiries, err := s.insure(ctx, f)
		if err != nil {
			return nil, err
		}
		last := slices.MaxFunc(expiries, time.Time.Compare)
		if err := sleepUntil(ctx, last); err != nil {
			return nil, err
		}
		told := func(context.Context) (bool, error) { return len(s.told(f, expiries)) == len(expiries), nil }
		all, err := until(ctx, last, 4*lapseWithin, told)
		if err != nil {
			return nil, err
		}
		return s.judge(ctx, f, expiries, all)
	})
}

// insure gives each organization a policy that expires soon, and returns when Clerk says of all that they are insured.
func (s expiry) insure(ctx context.Context, f *fleet) (expiries []time.Time, err error) {
	first := time.Now().Add(s.after)
	var given []scoring.OrganizationFacts
	for org := range sample.Organizations(2, s.policies, time.Now()) {
		i := len(given)
		expiries = append(expiries, first.Add(s.span*time.Duration(i)/time.Duration(s.policies)).Truncate(time.Microsecond))
		org.ID, org.ClerkOrgID = fmt.Sprintf("o%d", i), &f.keys[i]
		org.InsurancePolicies = []scoring.InsurancePolicy{{
			Type: scoring.PublicLiability, CoverageAmount: scoring.Dollars(5_000_000), ExpiryDate: expiries[i],
		}}
		given = append(given, org)
	}
	if err := f.importAll(ctx, given, time.Time{}); err != nil {
		return nil, err
	}
	_, err = until(ctx, time.Now(), s.after, f.inStepAndClean)
	if err == nil && !time.Now().Before(first) {
		err = errors.New("the first policy expired before Clerk was in step")
	}
	return expiries, err
}

// told are the times from each expiry until Clerk said so, sorted, of those of which it does; negative: too early.
func (s expiry) told(f *fleet, expiries []time.Time) (lags latencies) {
	first := map[string]clerktest.Write{} // of each, the first one that said so
	for _, write := range f.clerk.Writes() {
		var has claims
		_, seen := first[write.Organization]
		if json.Unmarshal(write.PublicMetadata, &has) == nil && !seen && has.Insurance != nil && !*has.Insurance {
			first[write.Organization] = write
		}
	}
	for i, expired := range expiries {
		if write, ok := first[f.keys[i]]; ok {
			lags = append(lags, write.Applied.Sub(expired))
		}
	}
	slices.Sort(lags)
	return lags
}

func (s expiry) judge(ctx context.Context, f *fleet, expiries []time.Time, all elapsed) ([]bound, error) {
	lags := s.told(f, expiries)
	early := 0
	for _, lag := range lags {
		if lag < 0 {
			early++
		}
	}
	organizations, err := query[int](ctx, f, `SELECT count(*) FROM organizations`)
	return []bound{
		within(lapseWithin, "insurance_valid is false at Clerk, after the expiry: 99 % of them", lags.percentile(99)),
		took("… half of them", lags.percentile(50)),
		took("… the last", lags.percentile(100)),
		zero("… never", len(expiries)-len(lags)),
		zero("… before it", early),
		took("all are, after the last expiry", all),
		zero("answers 429", len(f.calls().tooMany())),
		counted("policies that expired", len(expiries)),
		counted("organizations in the database", organizations),
	}, err
}
