package claimsync

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// Parked is what was given up on.
type Parked struct {
	ClerkOrgID string
	// OrganizationID and Name are of the organization that is linked to it; "": none is any more.
	OrganizationID, Name string

	At        time.Time
	Reason    string
	LastError string
	Failures  int // in a row
}

// Parked returns a page of what was given up on for the reason, "" for whatever reason, in the order in which it was, and
// where the next page begins; nil: this is the last one. The cursor's listing is that of the parked.
func (s *Sync) Parked(ctx context.Context, reason string, from Cursor, limit int) (page []Parked, next *Cursor, err error) {
	rows, err := dbsqlc.New().OutboxParkedPage(ctx, s.jobs.Pool, dbsqlc.OutboxParkedPageParams{
		Topic: Topic, Reason: reason, AfterParkedAt: from.Time, AfterKey: from.After, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("listing what is parked: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = &Cursor{Listing: Listing{State: outbox.StateParked}, Time: rows[limit-1].ParkedAt, After: rows[limit-1].Key}
	}
	page = make([]Parked, len(rows))
	for i, row := range rows {
		page[i] = Parked{
			ClerkOrgID: row.Key, OrganizationID: row.OrganizationID, Name: row.Name,
			At: row.ParkedAt, Reason: row.Reason, LastError: row.LastError, Failures: int(row.Failures),
		}
	}
	return page, next, nil
}

// ParkedGroup is what was given up on for one reason.
type ParkedGroup struct {
	Reason        string
	Organizations Count
	LastParkedAt  time.Time
}

// ParkedGroups counts what was given up on by reason, the most frequent first. Its cost does not grow with how many there are.
func (s *Sync) ParkedGroups(ctx context.Context) ([]ParkedGroup, error) {
	reasons, err := s.outbox.ParkedReasons(ctx, s.jobs.Pool, Topic, countedAtMost+1)
	if err != nil {
		return nil, err
	}
	groups := make([]ParkedGroup, len(reasons))
	for i, reason := range reasons {
		groups[i] = ParkedGroup{reason.Reason, counted(reason.Rows), reason.LastParkedAt}
	}
	return groups, nil
}
