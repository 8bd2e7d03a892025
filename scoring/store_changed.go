package scoring

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RecalculateChangedTx is RecalculateDueTx for what foreign writers have changed (package db/triggers), those first who changed
// few organizations at once. What they made of the tier, of a link or of a score is announced even if the calculation
// leaves all as it is. What belongs to an organization that another transaction has locked stays for later: Due.Locked.
// The ids of organizations that are gone are those of their Clerk organizations.
func (s *Store) RecalculateChangedTx(ctx context.Context, tx pgx.Tx, query DueQuery) (Due, error) {
	due, changes, err := s.takeChanges(ctx, tx, query)
	if err != nil {
		return Due{}, fmt.Errorf("looking for what others have changed: %w", err)
	}
	if len(due.IDs) == 0 {
		return due, nil
	}
	var revisions []*revision
	if len(changes.ids) > 0 {
		var saved error
		revisions, saved = s.calculateAll(ctx, tx, changes.ids, query)
		if saved != nil {
			return due, saved
		}
	}
	for _, r := range revisions {
		if r.scoreChanged() {
			due.Changed++
		}
	}
	return due, s.mark(ctx, tx, changes.urgency, revisions, changes.clerkOrgIDs...)
}

// changes are what foreign writers have changed.
type changes struct {
	ids         []string // organizations to be calculated
	clerkOrgIDs []string // to be pushed whatever comes of it
	urgency     Urgency
}

// takeChanges removes changes from the queue, with their organizations locked.
func (s *Store) takeChanges(ctx context.Context, tx pgx.Tx, query DueQuery) (due Due, taken changes, err error) {
	for _, bulk := range []bool{false, true} {
		rows, err := s.queries.OrganizationChangesTake(ctx, tx, dbsqlc.OrganizationChangesTakeParams{
			Bulk: bulk, MaxRows: query.Limit, Skipped: append([]string{}, query.Skipped...), // not nil, as in claimDue
		})
		if err != nil {
			return Due{}, changes{}, err
		}
		taken.urgency = UrgencyLive
		if bulk {
			taken.urgency = UrgencyBackfill
		}
		taken.add(&due, rows)
		if len(due.IDs) > 0 {
			break
		}
	}
	return due, taken, nil
}

// add sorts the rows, each organization once.
func (c *changes) add(due *Due, rows []dbsqlc.OrganizationChangesTakeRow) {
	seen := map[string]bool{}
	once := func(list *[]string, id string) {
		if !seen[id] {
			seen[id] = true
			*list = append(*list, id)
		}
	}
	for _, row := range rows {
		id := deref(row.OrganizationID)
		if !row.Taken {
			once(&due.Locked, id)
			continue
		}
		if due.DueAt.IsZero() {
			due.DueAt = row.ChangedAt
		}
		if id != "" {
			once(&c.ids, id)
		}
		if row.ClerkOrgID != nil {
			c.clerkOrgIDs = append(c.clerkOrgIDs, *row.ClerkOrgID)
		}
		if id == "" {
			due.IDs = append(due.IDs, deref(row.ClerkOrgID))
		}
	}
	due.IDs = append(due.IDs, c.ids...)
}

// calculateAll calculates those of the organizations that exist, and stores their scores.
func (s *Store) calculateAll(ctx context.Context, tx pgx.Tx, ids []string, query DueQuery) ([]*revision, error) {
	revisions, clock, err := s.load(ctx, tx, dbsqlc.OrganizationLock, ids)
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	return revisions, s.saveScores(ctx, tx, calculationTime(query.Now, clock), revisions)
}
