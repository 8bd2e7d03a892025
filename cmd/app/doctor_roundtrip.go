package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// roundTrip compares one organization: reading it, at Clerk and in Postgres, is all that can be tried without writing. Like the
// other calls it takes no slot of the budget, and what Clerk answers keeps nobody from calling: that would be written down.
func (x *examination) roundTrip(ctx context.Context) finding {
	organization, err := x.anyInStep(ctx)
	switch {
	case err != nil:
		return broken(err)
	case organization == nil:
		return skip("no organization that is linked is in step, to look for at Clerk")
	}
	found, _, err := x.client.Organization(ctx, *organization.ClerkOrgID)
	if failure, ok := errors.AsType[*clerk.Error](err); err != nil && (!ok || failure.Action != clerk.Missing) {
		return clerkTrouble(err)
	}
	comparison, err := x.tool.sync.CompareWith(ctx, *organization.ClerkOrgID, found)
	if err != nil {
		return broken(err)
	}
	return comparisonFinding(organization.ID, comparison)
}

// anyInStep returns an organization that Clerk has confirmed; nil for none among the first.
func (x *examination) anyInStep(ctx context.Context) (*scoring.Organization, error) {
	const pages = 5 // each of which may be short, and not the last
	from := &claimsync.Cursor{Listing: claimsync.Listing{State: outbox.StateClean}}
	for range pages {
		page, next, err := x.tool.sync.Organizations(ctx, *from, 1)
		if err != nil {
			return nil, err
		}
		if len(page) > 0 {
			return &page[0].Organization, nil
		}
		if next == nil {
			break
		}
		from = next
	}
	return nil, nil
}

func comparisonFinding(id string, c *claimsync.Comparison) finding {
	if c.Missing {
		return fail(fmt.Sprintf("Clerk has no %s, which %s is linked to", c.ClerkOrgID, id),
			"Is the key of another instance than the one that was linked to? If it was deleted there, unlink it: PATCH its "+
				"clerk_org_id to null.")
	}
	if len(c.Differences) == 0 {
		return ok("%s has at Clerk what Postgres says", id)
	}
	differing := make([]string, len(c.Differences))
	for i, d := range c.Differences {
		differing[i] = fmt.Sprintf("%s is %s, not %s", d.Key, orNothing(d.Clerk), orNothing(d.Want))
	}
	return fail(fmt.Sprintf("%s differs at Clerk: %s", id, strings.Join(differing, ", ")),
		fmt.Sprintf("See app why %s. If nothing is on its way, app drift --repair finds and mends all that differ.", id))
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
