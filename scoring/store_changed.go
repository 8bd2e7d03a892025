package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// RecalculateChangedTx is RecalculateDueTx for what foreign writers have changed (package db/triggers), those first who changed
// few organizations at once. What they made of the tier, of a link or of a score is announced even if the calculation
// leaves all as it is; of an organization that is not linked to Clerk, or is gone, nobody can tell what it was, so any change
// is. What belongs to an organization that another transaction has locked stays for later, see RecalculateContendedTx. An id
// may be Clerk's: what claimsync_push was asked for.
func (s *Store) RecalculateChangedTx(ctx context.Context, tx pgx.Tx, query DueQuery) (Due, error) {
	taken, err := s.takeChanges(ctx, tx, query)
	if err != nil {
		return Due{}, fmt.Errorf("looking for what others have changed: %w", err)
	}
	return s.calculateChanges(ctx, tx, query, taken)
}

// calculateChanges calculates what was taken from the queue, and announces it.
func (s *Store) calculateChanges(ctx context.Context, tx pgx.Tx, query DueQuery, taken changes) (Due, error) {
	due := taken.due()
	if len(due.IDs) == 0 {
		return due, nil
	}
	batch := &pgx.Batch{}
	var revisions []*revision
	if len(taken.ids) > 0 {
		loaded, found, err := load(ctx, tx, dbsqlc.OrganizationLock, taken.ids)
		if err != nil {
			return due, err
		}
		revisions = found
		queueScores(batch, loaded.calculatedAt(query.Now), revisions)
	}
	taken.recallLinks(revisions)
	for _, r := range revisions {
		if r.scoreChanged() {
			due.Changed++
		}
	}
	also, err := s.changedWith(ctx, tx, taken, revisions)
	if err != nil {
		return due, err
	}
	if err := s.queueMarks(ctx, batch, taken.urgency, revisions, also); err != nil {
		return due, err
	}
	return due, send(ctx, tx, batch, revisions...)
}

// nearRows is how far behind the first row that is taken others of the same organizations are looked for, in some 1 ms.
const nearRows = 2000

// changes are what foreign writers have changed.
type changes struct {
	ids         []string            // organizations to be calculated, if they exist
	told        map[string][]string // of these, what of Clerk's is to be pushed whatever comes of it
	clerkOrgIDs []string            // to be pushed, of which no organization was named
	urgency     Urgency             // as of the most urgent
	oldest      time.Time
}

func newChanges() changes {
	return changes{told: map[string][]string{}, urgency: UrgencyBackfill}
}

// recallLinks has the revisions of organizations that somebody has unlinked begin before that.
func (c *changes) recallLinks(revisions []*revision) {
	for _, r := range revisions {
		if told := c.told[r.after.ID]; r.after.ClerkOrgID == nil && len(told) > 0 {
			r.before.ClerkOrgID = &told[len(told)-1]
		}
	}
}

// changedWith is what is marked whatever the calculation has come to.
func (s *Store) changedWith(ctx context.Context, tx pgx.Tx, c changes, revisions []*revision) (Changed, error) {
	also := Changed{ClerkOrgIDs: c.clerkOrgIDs}
	linked := map[string]bool{}
	for _, r := range revisions {
		linked[r.after.ID] = r.after.ClerkOrgID != nil
	}
	for _, id := range c.ids {
		also.ClerkOrgIDs = append(also.ClerkOrgIDs, c.told[id]...)
		if len(c.told[id]) > 0 || !linked[id] {
			also.IDs = append(also.IDs, id)
		}
	}
	if len(c.clerkOrgIDs) == 0 {
		return also, nil
	}
	pushed, err := s.queries.OrganizationListByClerkID(ctx, tx, c.clerkOrgIDs)
	if err != nil {
		return Changed{}, fmt.Errorf("looking up whose %d Clerk organizations are: %w", len(c.clerkOrgIDs), err)
	}
	for _, row := range pushed {
		also.IDs = append(also.IDs, row.ID)
	}
	return also, nil
}

// takeChanges removes changes from the queue, with their organizations locked.
func (s *Store) takeChanges(ctx context.Context, tx pgx.Tx, query DueQuery) (changes, error) {
	taken := newChanges()
	for _, bulk := range []bool{query.BulkFirst, !query.BulkFirst} {
		rows, err := s.queries.OrganizationChangesTake(ctx, tx, dbsqlc.OrganizationChangesTakeParams{
			Bulk: bulk, MaxRows: query.Limit, NearRows: nearRows, Skipped: append([]string{}, query.Skipped...), // not nil, as in claimDue
		})
		if err != nil {
			return changes{}, err
		}
		for _, row := range rows {
			taken.add(row)
		}
		if len(rows) > 0 {
			break
		}
	}
	return taken, nil
}

// add sorts a change in, each organization once.
func (c *changes) add(row dbsqlc.OrganizationChangesTakeRow) {
	if c.oldest.IsZero() || row.ChangedAt.Before(c.oldest) {
		c.oldest = row.ChangedAt
	}
	if !row.Bulk {
		c.urgency = UrgencyLive
	}
	if row.OrganizationID == nil {
		c.clerkOrgIDs = append(c.clerkOrgIDs, deref(row.ClerkOrgID))
		return
	}
	id := *row.OrganizationID
	if _, known := c.told[id]; !known {
		c.ids = append(c.ids, id)
		c.told[id] = nil
	}
	if row.ClerkOrgID != nil {
		c.told[id] = append(c.told[id], *row.ClerkOrgID)
	}
}

// due is what is due by them.
func (c *changes) due() Due {
	return Due{IDs: slices.Concat(c.clerkOrgIDs, c.ids), DueAt: c.oldest}
}
