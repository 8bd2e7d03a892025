package scoring

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RecalculateChangedTx is RecalculateDueTx for what foreign writers have changed (package db/triggers), those first who changed
// few organizations at once. What they made of the tier, of a link or of a score is announced even if the calculation
// leaves all as it is; of an organization that is not linked to Clerk, or is gone, nobody can tell what it was, so any change
// is. What belongs to an organization that another transaction has locked stays for later, see RecalculateContendedTx. An id
// may be Clerk's: what claimsync_push was asked for.
func (s *Store) RecalculateChangedTx(ctx context.Context, tx pgx.Tx, query DueQuery) (Due, error) {
	due, changes, err := s.takeChanges(ctx, tx, query)
	if err != nil {
		return Due{}, fmt.Errorf("looking for what others have changed: %w", err)
	}
	return s.calculateChanges(ctx, tx, query, due, changes)
}

// calculateChanges calculates what was taken from the queue, and announces it.
func (s *Store) calculateChanges(ctx context.Context, tx pgx.Tx, query DueQuery, due Due, changes changes) (Due, error) {
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
	changes.recallLinks(revisions)
	for _, r := range revisions {
		if r.scoreChanged() {
			due.Changed++
		}
	}
	also, err := s.announcedWith(ctx, tx, changes, revisions)
	if err != nil {
		return due, err
	}
	return due, s.mark(ctx, tx, changes.urgency, revisions, also)
}

// nearRows is how far behind the first row that is taken others of the same organizations are looked for, in some 1 ms.
const nearRows = 2000

// changes are what foreign writers have changed.
type changes struct {
	ids         []string            // organizations to be calculated, if they exist
	told        map[string][]string // of these, what of Clerk's is to be pushed whatever comes of it
	clerkOrgIDs []string            // to be pushed, of which no organization was named
	urgency     Urgency
}

// recallLinks has the revisions of organizations that somebody has unlinked begin before that.
func (c *changes) recallLinks(revisions []*revision) {
	for _, r := range revisions {
		if told := c.told[r.after.ID]; r.after.ClerkOrgID == nil && len(told) > 0 {
			r.before.ClerkOrgID = &told[len(told)-1]
		}
	}
}

// announcedWith is what is announced whatever the calculation has come to.
func (s *Store) announcedWith(ctx context.Context, tx pgx.Tx, c changes, revisions []*revision) (announced, error) {
	also := announced{clerkOrgIDs: c.clerkOrgIDs}
	linked := map[string]bool{}
	for _, r := range revisions {
		linked[r.after.ID] = r.after.ClerkOrgID != nil
	}
	for _, id := range c.ids {
		also.clerkOrgIDs = append(also.clerkOrgIDs, c.told[id]...)
		if len(c.told[id]) > 0 || !linked[id] {
			also.ids = append(also.ids, id)
		}
	}
	if len(c.clerkOrgIDs) == 0 {
		return also, nil
	}
	pushed, err := s.queries.OrganizationListByClerkID(ctx, tx, c.clerkOrgIDs)
	if err != nil {
		return announced{}, fmt.Errorf("looking up whose %d Clerk organizations are: %w", len(c.clerkOrgIDs), err)
	}
	for _, row := range pushed {
		also.ids = append(also.ids, row.ID)
	}
	return also, nil
}

// takeChanges removes changes from the queue, with their organizations locked.
func (s *Store) takeChanges(ctx context.Context, tx pgx.Tx, query DueQuery) (due Due, taken changes, err error) {
	taken.told = map[string][]string{}
	for _, bulk := range []bool{query.BulkFirst, !query.BulkFirst} {
		rows, err := s.queries.OrganizationChangesTake(ctx, tx, dbsqlc.OrganizationChangesTakeParams{
			Bulk: bulk, MaxRows: query.Limit, NearRows: nearRows, Skipped: append([]string{}, query.Skipped...), // not nil, as in claimDue
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
	for _, row := range rows {
		id := deref(row.OrganizationID)
		if due.DueAt.IsZero() || row.ChangedAt.Before(due.DueAt) {
			due.DueAt = row.ChangedAt
		}
		switch clerkOrgID := row.ClerkOrgID; {
		case id == "":
			c.clerkOrgIDs = append(c.clerkOrgIDs, deref(clerkOrgID))
			due.IDs = append(due.IDs, deref(clerkOrgID))
		case clerkOrgID != nil:
			c.told[id] = append(c.told[id], *clerkOrgID)
			fallthrough
		default:
			if !seen[id] {
				seen[id] = true
				c.ids = append(c.ids, id)
			}
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
