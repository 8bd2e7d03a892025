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
	return s.reviseTx(ctx, tx, id, now, func(batch *pgx.Batch, r *revision) {
		if update.Name != nil {
			r.after.Name = *update.Name
		}
		if update.ClerkOrgID != nil {
			r.after.ClerkOrgID = *update.ClerkOrgID
		}
		if update.CertificationTier != nil {
			r.after.CertificationTier = *update.CertificationTier
		}
		r.queueUpdate(batch)
	})
}

// queueUpdate queues the writing of the organization's own fields if they differ from what is stored.
func (r *revision) queueUpdate(batch *pgx.Batch) {
	if r.fieldsChanged() {
		batch.Queue(dbsqlc.OrganizationUpdate, r.after.Name, r.after.ClerkOrgID,
			dbsqlc.CertificationTier(r.after.CertificationTier.String()), r.after.ID)
	}
}

func (r *revision) fieldsChanged() bool {
	return r.before.Name != r.after.Name || r.before.CertificationTier != r.after.CertificationTier ||
		!equal(r.before.ClerkOrgID, r.after.ClerkOrgID)
}

// ReplaceFactsTx replaces the lists of facts that are given (not nil), and recalculates the score. Returns ErrNotFound.
func (s *Store) ReplaceFactsTx(
	ctx context.Context, tx pgx.Tx, id string, facts *Facts, now time.Time,
) (Organization, Result, error) {
	return s.reviseTx(ctx, tx, id, now, replacing(facts))
}

func replacing(facts *Facts) revising {
	return func(batch *pgx.Batch, r *revision) {
		queueFacts(batch, []factsChange{{id: r.after.ID, stored: r.facts, given: facts}})
	}
}

// queueFacts queues the writing of the lists that differ.
func queueFacts(batch *pgx.Batch, changes []factsChange) {
	for _, table := range factTables {
		table.queueReplace(batch, changes)
	}
}

// DeleteTx removes an organization with its facts; the claims at its Clerk organization are to go too. Returns
// ErrNotFound.
func (s *Store) DeleteTx(ctx context.Context, tx pgx.Tx, id string) error {
	clerkOrgID, err := s.queries.OrganizationDelete(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("deleting organization %s: %w", id, notFound(err))
	}
	changed := Changed{IDs: []string{id}}
	if clerkOrgID != nil {
		changed.ClerkOrgIDs = []string{*clerkOrgID}
	}
	return s.markTx(ctx, tx, UrgencyLive, changed)
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
	return true, s.markTx(ctx, tx, UrgencyLive, Changed{ClerkOrgIDs: []string{*clerkOrgID}})
}

// MarkManyTx is MarkTx for several organizations at once, at urgency. Those that are not linked, or do not exist (any
// more), are left out. Returns how many were marked.
func (s *Store) MarkManyTx(ctx context.Context, tx pgx.Tx, urgency Urgency, ids ...string) (marked int, err error) {
	clerkOrgIDs, err := s.queries.OrganizationClerkIDs(ctx, tx, ids)
	if err != nil {
		return 0, fmt.Errorf("looking up the Clerk ids of %d organizations: %w", len(ids), err)
	}
	return len(clerkOrgIDs), s.markTx(ctx, tx, urgency, Changed{ClerkOrgIDs: clerkOrgIDs})
}
