package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// CreateTx adds an organization without facts and calculates its score. Returns ErrIDTaken or ErrClerkOrgIDTaken.
func (s *Store) CreateTx(ctx context.Context, tx pgx.Tx, org Organization, now time.Time) (Organization, Result, error) {
	err := s.queries.OrganizationInsert(ctx, tx, dbsqlc.OrganizationInsertParams{
		ID: org.ID, Name: org.Name, ClerkOrgID: org.ClerkOrgID,
		CertificationTier: dbsqlc.CertificationTier(org.CertificationTier.String()),
	})
	if err != nil {
		return Organization{}, Result{}, fmt.Errorf("creating organization %s: %w", org.ID, translate(err))
	}
	return s.RecalculateTx(ctx, tx, org.ID, now)
}

// OrganizationUpdate changes the fields that are given.
type OrganizationUpdate struct {
	Name              *string
	ClerkOrgID        **string // a pointer to nil unlinks
	CertificationTier *Tier
}

// UpdateTx changes an organization and recalculates its score, which depends on the tier. A change of the tier or of
// the Clerk id is marked also where the score stays the same. Returns ErrNotFound or ErrClerkOrgIDTaken.
func (s *Store) UpdateTx(
	ctx context.Context, tx pgx.Tx, id string, update OrganizationUpdate, now time.Time,
) (Organization, Result, error) {
	r, clock, err := s.lock(ctx, tx, id)
	if err != nil {
		return Organization{}, Result{}, err
	}
	if update.Name != nil {
		r.after.Name = *update.Name
	}
	if update.ClerkOrgID != nil {
		r.after.ClerkOrgID = *update.ClerkOrgID
	}
	if update.CertificationTier != nil {
		r.after.CertificationTier = *update.CertificationTier
	}
	if err := s.updateChanged(ctx, tx, r); err != nil {
		return Organization{}, Result{}, err
	}
	if err := s.save(ctx, tx, UrgencyLive, calculationTime(now, clock), r); err != nil {
		return Organization{}, Result{}, err
	}
	return r.after, r.result, nil
}

// updateChanged writes the organization's own fields if they differ from what is stored.
func (s *Store) updateChanged(ctx context.Context, tx pgx.Tx, r *revision) error {
	if !r.fieldsChanged() {
		return nil
	}
	err := s.queries.OrganizationUpdate(ctx, tx, dbsqlc.OrganizationUpdateParams{
		ID: r.after.ID, Name: r.after.Name, ClerkOrgID: r.after.ClerkOrgID,
		CertificationTier: dbsqlc.CertificationTier(r.after.CertificationTier.String()),
	})
	if err != nil {
		return fmt.Errorf("updating organization %s: %w", r.after.ID, translate(err))
	}
	return nil
}

func (r *revision) fieldsChanged() bool {
	return r.before.Name != r.after.Name || r.before.CertificationTier != r.after.CertificationTier ||
		!equal(r.before.ClerkOrgID, r.after.ClerkOrgID)
}

// ReplaceFactsTx replaces the lists of facts that are given (not nil), and recalculates the score. Returns ErrNotFound.
func (s *Store) ReplaceFactsTx(
	ctx context.Context, tx pgx.Tx, id string, facts *Facts, now time.Time,
) (Organization, Result, error) {
	r, clock, err := s.lock(ctx, tx, id)
	if err != nil {
		return Organization{}, Result{}, err
	}
	if err := s.replaceFacts(ctx, tx, []factsChange{{id: id, stored: r.facts, given: facts}}); err != nil {
		return Organization{}, Result{}, err
	}
	if err := s.save(ctx, tx, UrgencyLive, calculationTime(now, clock), r); err != nil {
		return Organization{}, Result{}, err
	}
	return r.after, r.result, nil
}

// replaceFacts writes the lists that differ, all in one round trip.
func (s *Store) replaceFacts(ctx context.Context, tx pgx.Tx, changes []factsChange) error {
	batch := &pgx.Batch{}
	for _, table := range factTables {
		table.queueReplace(batch, changes)
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("writing the facts of %d organizations from %s: %w", len(changes), changes[0].id, err)
	}
	return nil
}

// DeleteTx removes an organization with its facts; the claims at its Clerk organization are to go too. Returns
// ErrNotFound.
func (s *Store) DeleteTx(ctx context.Context, tx pgx.Tx, id string) error {
	clerkOrgID, err := s.queries.OrganizationDelete(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("deleting organization %s: %w", id, notFound(err))
	}
	if clerkOrgID != nil {
		if err := s.marker.MarkTx(ctx, tx, UrgencyLive, *clerkOrgID); err != nil {
			return err
		}
	}
	return s.marker.ChangedTx(ctx, tx, UrgencyLive, id)
}

// MarkTx has the organization pushed again though nothing changed. Reports whether it is linked, else there is
// nowhere to push to. Returns ErrNotFound.
func (s *Store) MarkTx(ctx context.Context, tx pgx.Tx, id string) (linked bool, err error) {
	clerkOrgID, err := s.queries.OrganizationClerkID(ctx, tx, id)
	if err != nil {
		return false, fmt.Errorf("organization %s: %w", id, notFound(err))
	}
	if clerkOrgID == nil {
		return false, nil
	}
	return true, s.marker.MarkTx(ctx, tx, UrgencyLive, *clerkOrgID)
}

// MarkManyTx is MarkTx for several organizations at once, at urgency. Those that are not linked, or do not exist (any
// more), are left out. Returns how many were marked.
func (s *Store) MarkManyTx(ctx context.Context, tx pgx.Tx, urgency Urgency, ids ...string) (marked int, err error) {
	clerkOrgIDs, err := s.queries.OrganizationClerkIDs(ctx, tx, ids)
	if err != nil {
		return 0, fmt.Errorf("looking up the Clerk ids of %d organizations: %w", len(ids), err)
	}
	return len(clerkOrgIDs), s.marker.MarkTx(ctx, tx, urgency, clerkOrgIDs...)
}
