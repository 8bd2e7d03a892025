package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// Comparison is what Clerk says of an organization now, beside what it should say.
type Comparison struct {
	At         time.Time // by the database's clock
	ClerkOrgID string
	// Missing: Clerk does not have the organization.
	Missing bool
	// Clerk and Want have the values of clerk.Keys, as JSON; no entry for those that are not there.
	Clerk, Want map[string]string
	// Differences are none if it is in step, as far as its tokens show.
	Differences []clerk.Difference
}

// ErrNoClerk is returned by what calls Clerk, if Config.Clerk was left out.
var ErrNoClerk = errors.New("there is no client to call Clerk with")

// Compare reads an organization at Clerk, within the fleet's budget, and changes nothing there. id is ours or Clerk's. Returns
// scoring.ErrNotFound for an unknown one, ErrUnlinked for one without a Clerk id, ErrNoClerk without a client, and a *clerk.Error
// if Clerk fails, or because of ErrNoTurn.
func (s *Sync) Compare(ctx context.Context, id string) (*Comparison, error) {
	if s.clerk == nil {
		return nil, ErrNoClerk
	}
	key, err := s.Key(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case key == "":
		return nil, fmt.Errorf("%w: %s", ErrUnlinked, id)
	}
	found, err := s.readOrganization(ctx, key, outbox.PriorityLive)
	if err != nil {
		return nil, fmt.Errorf("reading %s at Clerk: %w", key, err)
	}
	return s.CompareWith(ctx, key, found)
}

// CompareWith compares what the caller has read at Clerk of the organization clerkOrgID, zero if Clerk does not have it, with
// what Postgres says now. It only reads.
func (s *Sync) CompareWith(ctx context.Context, clerkOrgID string, found clerk.Organization) (*Comparison, error) {
	want, err := wantedOf(ctx, s.jobs.Pool, clerkOrgID)
	if err != nil {
		return nil, err
	}
	now, err := s.outbox.Clock(ctx, s.jobs.Pool)
	if err != nil {
		return nil, err
	}
	return &Comparison{
		At: now, ClerkOrgID: clerkOrgID, Missing: found.ID == "",
		Clerk: found.Values(), Want: want.metadata.Values(), Differences: found.Differences(want.metadata),
	}, nil
}
