package claimsync

import (
	"fmt"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// Unlimited, as a rate limit, is none.
const Unlimited = -1

// Clerk's limits, each in rateWindow.
//
// https://clerk.com/docs/guides/how-clerk-works/system-limits
const (
	liveRateLimit         = 1000
	testRateLimit         = 100
	organizationRateLimit = 10
	rateWindow            = 10 * time.Second
)

// budget is what the fleet may ask of Clerk.
func (c Config) budget() (outbox.Budget, error) {
	if c.RateLimit < Unlimited || c.OrganizationRateLimit < Unlimited {
		return outbox.Budget{}, fmt.Errorf("claimsync: Config.RateLimit is %d, OrganizationRateLimit %d: "+
			"each a number of calls, 0 for Clerk's, or Unlimited", c.RateLimit, c.OrganizationRateLimit)
	}
	fleet, key := c.RateLimit, c.OrganizationRateLimit
	if fleet == 0 {
		kind := clerk.KeyTest
		if c.Clerk != nil {
			kind = c.Clerk.KeyKind()
		}
		fleet = DefaultRateLimit(kind)
	}
	if key == 0 {
		key = organizationRateLimit
	}
	budget := outbox.Budget{Fleet: limit(fleet), Key: limit(key), Share: c.RateShare}
	if err := budget.Validate(); err != nil {
		return outbox.Budget{}, fmt.Errorf("claimsync: Config.RateLimit, OrganizationRateLimit, RateShare: %w", err)
	}
	return budget, nil
}

// DefaultRateLimit is how many calls Clerk admits in 10 s for a key of the kind.
func DefaultRateLimit(kind clerk.KeyKind) int {
	if kind == clerk.KeyLive {
		return liveRateLimit
	}
	return testRateLimit
}

func limit(calls int) outbox.Limit {
	return outbox.Limit{Calls: max(calls, 0), Window: rateWindow} // in an outbox, 0 is none
}
