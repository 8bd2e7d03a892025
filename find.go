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
func (s *Sync) Key(ctx context.Context, id string) (string, error) {
	var named found
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		named, err = s.findTx(ctx, tx, id)
		return err
	})
	return named.key, err
}

// found is what an id names.
type found struct {
	organization *scoring.Organization // nil: a Clerk organization that was unlinked
	result       *scoring.Result       // nil: it has no score yet
	key          string                // its Clerk id; "": it is not linked
}

// findTx is Key, and returns the organization too.
func (s *Sync) findTx(ctx context.Context, tx pgx.Tx, id string) (named found, err error) {
	// What cannot be an id is not asked for: Postgres would not take it.
	if len(scoring.ValidateID("id", id)) == 0 {
		named, err = s.organizationTx(ctx, tx, id)
	}
	isClerks := len(scoring.ValidateClerkOrgID("id", id)) == 0
	if isClerks && named.organization == nil && err == nil {
		named, err = s.linkedTx(ctx, tx, id)
	}
	if err != nil || named.organization != nil {
		return named, err
	}
	if isClerks {
		_, marked, err := s.outbox.Status(ctx, tx, Topic, id)
		if marked || err != nil {
			return found{key: id}, err
		}
	}
	return found{}, fmt.Errorf("%w: %s", scoring.ErrNotFound, id)
}

// organizationTx finds nothing by an unknown id.
func (s *Sync) organizationTx(ctx context.Context, tx pgx.Tx, id string) (found, error) {
	org, facts, err := s.Store(nil).Get(ctx, tx, id) // what only reads wakes nobody
	switch {
	case errors.Is(err, scoring.ErrNotFound):
		return found{}, nil
	case err != nil:
		return found{}, err
	}
	named := found{organization: &org, result: org.Result(&facts)}
	if org.ClerkOrgID != nil {
		named.key = *org.ClerkOrgID
	}
	return named, nil
}

// linkedTx finds the organization that is linked to the Clerk organization, if one is.
func (s *Sync) linkedTx(ctx context.Context, tx pgx.Tx, clerkOrgID string) (found, error) {
	linked, err := dbsqlc.New().OrganizationListByClerkID(ctx, tx, []string{clerkOrgID})
	if err != nil {
		return found{}, fmt.Errorf("looking for Clerk organization %s: %w", clerkOrgID, err)
	}
	if len(linked) == 0 {
		return found{}, nil
	}
	return s.organizationTx(ctx, tx, linked[0].ID)
}
