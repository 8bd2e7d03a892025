package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// OrganizationFacts is an organization with its facts, as they are imported.
type OrganizationFacts struct {
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	ClerkOrgID        *string `json:"clerk_org_id"`
	CertificationTier Tier    `json:"certification_tier"`
	Facts
}

// Imported counts what an import did.
type Imported struct {
	Created   int
	Updated   int
	Unchanged int
}

// ImportTx makes the organizations equal to what is given: creates those that are missing, updates the fields and the
// lists of facts that are given and differ, and recalculates the score where anything did. Ids must be distinct.
// Returns ErrClerkOrgIDTaken if a Clerk organization is linked to another organization.
func (s *Store) ImportTx(ctx context.Context, tx pgx.Tx, given []OrganizationFacts, now time.Time) (Imported, error) {
	ids := make([]string, len(given))
	for i, org := range given {
		ids[i] = org.ID
	}
	loaded, revisions, err := load(ctx, tx, dbsqlc.OrganizationLock, ids)
	if err != nil {
		return Imported{}, err
	}
	stored := make(map[string]*revision, len(revisions))
	for _, r := range revisions {
		stored[r.before.ID] = r
	}

	created, err := s.insertMissing(ctx, tx, given, stored)
	if err != nil {
		return Imported{}, err
	}
	batch := &pgx.Batch{}
	changed := queueDiffering(batch, given, stored)
	if err := s.queueSave(ctx, batch, UrgencyBackfill, loaded.calculatedAt(now), changed...); err != nil {
		return Imported{}, err
	}
	if err := send(ctx, tx, batch, changed...); err != nil {
		return Imported{}, err
	}
	return Imported{Created: created, Updated: len(changed) - created, Unchanged: len(given) - len(changed)}, nil
}

// insertMissing creates the organizations that are not stored yet, and adds them, empty, to stored.
func (s *Store) insertMissing(
	ctx context.Context, tx pgx.Tx, given []OrganizationFacts, stored map[string]*revision,
) (int, error) {
	var rows dbsqlc.OrganizationInsertManyParams
	for _, org := range given {
		if stored[org.ID] != nil {
			continue
		}
		identity := Organization{
			ID: org.ID, Name: org.Name, ClerkOrgID: org.ClerkOrgID, CertificationTier: org.CertificationTier,
		}
		stored[org.ID] = &revision{before: identity, after: identity, facts: &Facts{}}
		rows.Ids = append(rows.Ids, org.ID)
		rows.Names = append(rows.Names, org.Name)
		rows.ClerkOrgIds = append(rows.ClerkOrgIds, deref(org.ClerkOrgID))
		rows.CertificationTiers = append(rows.CertificationTiers, org.CertificationTier.String())
	}
	if len(rows.Ids) == 0 {
		return 0, nil
	}
	if err := s.queries.OrganizationInsertMany(ctx, tx, rows); err != nil {
		return 0, fmt.Errorf("creating %s: %w", describe(rows.Ids), translate(err))
	}
	return len(rows.Ids), nil
}

// queueDiffering queues the writing of what differs, and returns the revisions whose score has to be calculated.
func queueDiffering(batch *pgx.Batch, given []OrganizationFacts, stored map[string]*revision) (changed []*revision) {
	var changes []factsChange
	for _, org := range given {
		r := stored[org.ID]
		r.after.Name, r.after.ClerkOrgID, r.after.CertificationTier = org.Name, org.ClerkOrgID, org.CertificationTier
		r.queueUpdate(batch)
		differs := factsDiffer(r.facts, &org.Facts)
		if differs {
			changes = append(changes, factsChange{id: org.ID, stored: r.facts, given: &org.Facts})
		}
		if differs || r.fieldsChanged() || r.before.Score == nil {
			changed = append(changed, r)
		}
	}
	queueFacts(batch, changes)
	return changed
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
