package claimsync

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// Listing says which organizations are listed, and so in which order: the dirty ones and the parked ones by age, the oldest
// first; all others, and whatever is searched for, by id.
type Listing struct {
	State outbox.State `json:"sync"` // StateUnlinked or one of outbox's; "": all
	// Search is the beginning of an id, a Clerk id, or beginnings of words of the name, all of which have to be there.
	Search string `json:"search,omitzero"`
}

func (l Listing) byAge() bool {
	return l.Search == "" && (l.State == outbox.StateDirty || l.State == outbox.StateParked)
}

// sifted: there is no index of what is listed, in its order. So it is looked for among more. The clean ones are usually most;
// an index of them would have to be maintained by every push.
func (l Listing) sifted() bool {
	return l.State == outbox.StateClean || l.Search != "" && l.State != ""
}

// Listed is an organization in a listing: what can be said of it without reading its facts.
type Listed struct {
	Organization scoring.Organization
	Status       outbox.Status // zero: it was never marked
	ParkedAt     *time.Time
}

// State is where it stands. One that was never marked is dirty: Clerk has never been told.
func (l *Listed) State() outbox.State {
	return stateOf(l.Organization.ClerkOrgID != nil, l.Status.State)
}

// Organizations returns a page of a listing, at most limit of it, and where the next page begins; nil: this is the last one.
// Its cost is that of the page, however many organizations there are. Of a listing that has to be sifted it may be short, even
// empty, and have a next one all the same.
func (s *Sync) Organizations(ctx context.Context, from Cursor, limit int) (page []Listed, next *Cursor, err error) {
	if from.sifted() {
		page, next, err = s.sift(ctx, from, limit)
	} else {
		page, err = s.listedAfter(ctx, from, limit+1) // one more tells whether there is a next page
		if err == nil && len(page) > limit {
			page = page[:limit]
			next = new(from.after(&page[limit-1]))
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listing organizations: %w", err)
	}
	return page, next, nil
}

// How far a page is looked for: what is searched for as well takes longer to find.
const (
	siftBatch, siftBatches             = 500, 20
	siftSearchBatch, siftSearchBatches = 250, 4
)

func (s *Sync) sift(ctx context.Context, from Cursor, limit int) (page []Listed, next *Cursor, err error) {
	size, batches := siftBatch, siftBatches
	if from.Search != "" {
		size, batches = siftSearchBatch, siftSearchBatches
	}
	for range batches {
		batch, err := s.listedAfter(ctx, from, size)
		if err != nil {
			return nil, nil, err
		}
		for i := range batch {
			if batch[i].State() == from.State {
				if len(page) == limit {
					return page, &from, nil
				}
				page = append(page, batch[i])
			}
			from = from.after(&batch[i])
		}
		if len(batch) < size {
			return page, nil, nil
		}
	}
	return page, &from, nil
}

// listedAfter reads in the order of the listing.
func (s *Sync) listedAfter(ctx context.Context, from Cursor, count int) ([]Listed, error) {
	queries, pool, maxRows := dbsqlc.New(), s.jobs.Pool, int32(count)
	switch {
	case from.Search != "":
		return s.searchAfter(ctx, from, maxRows)
	case from.State == StateUnlinked:
		rows, err := queries.OrganizationPageUnlinked(ctx, pool, dbsqlc.OrganizationPageUnlinkedParams{
			AfterID: from.After, MaxRows: maxRows,
		})
		return listedOf(rows, err, func(row dbsqlc.Organization) listedRow { return listedRow{Organization: row} })
	case from.State == outbox.StateDirty:
		rows, err := queries.OrganizationPageDirty(ctx, pool, dbsqlc.OrganizationPageDirtyParams{
			Topic: Topic, AfterTime: from.Time, AfterKey: from.After, MaxRows: maxRows,
		})
		return listedOf(rows, err, func(row dbsqlc.OrganizationPageDirtyRow) listedRow { return listedRow(row) })
	case from.State == outbox.StateParked:
		rows, err := queries.OrganizationPageParked(ctx, pool, dbsqlc.OrganizationPageParkedParams{
			Topic: Topic, AfterTime: from.Time, AfterKey: from.After, MaxRows: maxRows,
		})
		return listedOf(rows, err, func(row dbsqlc.OrganizationPageParkedRow) listedRow { return listedRow(row) })
	default:
		rows, err := queries.OrganizationPage(ctx, pool, dbsqlc.OrganizationPageParams{
			Topic: Topic, AfterID: from.After, MaxRows: maxRows,
		})
		return listedOf(rows, err, func(row dbsqlc.OrganizationPageRow) listedRow { return listedRow(row) })
	}
}

// listedRow is an organization with its outbox row, from any of the queries for listings.
type listedRow dbsqlc.OrganizationPageRow

func listedOf[Row any](rows []Row, err error, as func(Row) listedRow) ([]Listed, error) {
	if err != nil {
		return nil, err
	}
	listed := make([]Listed, len(rows))
	for i, row := range rows {
		if listed[i], err = as(row).listed(); err != nil {
			return nil, err
		}
	}
	return listed, nil
}

func (r listedRow) listed() (Listed, error) {
	organization, err := scoring.OrganizationOf(r.Organization)
	listed := Listed{Organization: organization, ParkedAt: r.ParkedAt}
	if r.DesiredVersion > 0 { // it was marked
		listed.Status = outbox.Status{
			State:          outbox.StateOf(r.DirtySince, r.ParkedAt),
			DesiredVersion: r.DesiredVersion, SyncedVersion: r.SyncedVersion, DirtySince: r.DirtySince, SyncedAt: r.SyncedAt,
			LastError: r.LastError, ParkedReason: r.ParkedReason,
		}
	}
	return listed, err
}
