package claimsync

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/scoring"
)

// ErrUnlinked is returned for an organization without a Clerk id where one is needed.
var ErrUnlinked = errors.New("is not linked to Clerk")

// Key returns the outbox key, a Clerk id, of what id names: an organization by our id or by Clerk's, or a Clerk
// organization that was unlinked. "" for an organization that is not linked; scoring.ErrNotFound for any other id.
func (s *Sync) Key(ctx context.Context, id string) (key string, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		_, key, err = s.findTx(ctx, tx, id)
		return err
	})
	return key, err
}

// findTx is Key, and returns the organization too; nil for a Clerk organization that was unlinked.
func (s *Sync) findTx(ctx context.Context, tx pgx.Tx, id string) (org *scoring.Organization, key string, err error) {
	// What cannot be an id is not asked for: Postgres would not take it.
	if len(scoring.ValidateID("id", id)) == 0 {
		org, err = s.organizationTx(ctx, tx, id)
	}
	isClerks := len(scoring.ValidateClerkOrgID("id", id)) == 0
	if isClerks && org == nil && err == nil {
		org, err = s.linkedTx(ctx, tx, id)
	}
	switch {
	case err != nil:
		return nil, "", err
	case org != nil && org.ClerkOrgID != nil:
		return org, *org.ClerkOrgID, nil
	case org != nil:
		return org, "", nil
	}
	if isClerks {
		_, marked, err := s.outbox.Status(ctx, tx, Topic, id)
		if marked || err != nil {
			return nil, id, err
		}
	}
	return nil, "", fmt.Errorf("%w: %s", scoring.ErrNotFound, id)
}

// organizationTx returns nil for an unknown id.
func (s *Sync) organizationTx(ctx context.Context, tx pgx.Tx, id string) (*scoring.Organization, error) {
	org, _, err := s.Store(nil).Get(ctx, tx, id) // what only reads wakes nobody
	switch {
	case errors.Is(err, scoring.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &org, nil
}

// linkedTx returns the organization that is linked to the Clerk organization; nil: none is.
func (s *Sync) linkedTx(ctx context.Context, tx pgx.Tx, clerkOrgID string) (*scoring.Organization, error) {
	linked, err := dbsqlc.New().OrganizationListByClerkID(ctx, tx, []string{clerkOrgID})
	if err != nil {
		return nil, fmt.Errorf("looking for Clerk organization %s: %w", clerkOrgID, err)
	}
	if len(linked) == 0 {
		return nil, nil
	}
	return s.organizationTx(ctx, tx, linked[0].ID)
}
