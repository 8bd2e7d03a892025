package web

import (
	"context"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// The clean organizations have no index of their own, which every push would have to maintain. They are looked for among
// all, in batches; a page ends where the batches do, even if it is not full. Usually most organizations are clean.
const (
	cleanBatch   = 500
	cleanBatches = 20
)

// pageRow is an organization with its outbox row, from any of the queries in listing.sql.
type pageRow dbsqlc.OrganizationPageRow

func (r *pageRow) summary() summary {
	org := &r.Organization
	s := summary{
		ID:                org.ID,
		Name:              org.Name,
		ClerkOrgID:        org.ClerkOrgID,
		CertificationTier: string(org.CertificationTier),
		InsuranceValid:    org.InsuranceValid,
		CalculatedAt:      timestamp(org.CalculatedAt),
		Sync:              syncStatusOf(org.ClerkOrgID, r.status()),
	}
	if org.ComplianceScore != nil {
		s.ComplianceScore = new(int(*org.ComplianceScore))
	}
	return s
}

// status is the zero Status if there is no outbox row.
func (r *pageRow) status() outbox.Status {
	if r.DesiredVersion == 0 {
		return outbox.Status{}
	}
	return outbox.StatusOf(dbsqlc.Outbox{
		DesiredVersion: r.DesiredVersion,
		SyncedVersion:  r.SyncedVersion,
		DirtySince:     r.DirtySince,
		SyncedAt:       r.SyncedAt,
		LastError:      r.LastError,
		ParkedAt:       r.ParkedAt,
		ParkedReason:   r.ParkedReason,
	})
}

// cursor is the row's place in the listing with the filter.
func (r *pageRow) cursor(sync outbox.State) cursor {
	switch sync {
	case outbox.StateDirty:
		return cursor{Sync: sync, Time: *r.DirtySince, After: *r.Organization.ClerkOrgID}
	case outbox.StateParked:
		return cursor{Sync: sync, Time: *r.ParkedAt, After: *r.Organization.ClerkOrgID}
	default:
		return cursor{Sync: sync, After: r.Organization.ID}
	}
}

// page returns the rows of one page, and the cursor of the next one; nil: there is none.
func (s *server) page(ctx context.Context, query listQuery) (rows []pageRow, next *cursor, err error) {
	sync := query.after.Sync
	if sync == outbox.StateClean {
		return s.cleanPage(ctx, query)
	}
	rows, err = s.rowsAfter(ctx, query.after, query.limit+1) // one more tells whether there is a next page
	if err != nil || len(rows) <= query.limit {
		return rows, nil, err
	}
	rows = rows[:query.limit]
	return rows, new(rows[query.limit-1].cursor(sync)), nil
}

// cleanPage may be short, even empty, and still have a next one.
func (s *server) cleanPage(ctx context.Context, query listQuery) (clean []pageRow, next *cursor, err error) {
	after := query.after
	for range cleanBatches {
		rows, err := s.rowsAfter(ctx, after, cleanBatch)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			if row.status().State == outbox.StateClean && row.Organization.ClerkOrgID != nil {
				if len(clean) == query.limit {
					return clean, &after, nil
				}
				clean = append(clean, row)
			}
			after = row.cursor(outbox.StateClean)
		}
		if len(rows) < cleanBatch {
			return clean, nil, nil
		}
	}
	return clean, &after, nil
}

// rowsAfter reads in the order of the listing.
func (s *server) rowsAfter(ctx context.Context, after cursor, count int) ([]pageRow, error) {
	pool, topic, maxRows := s.config.Pool, s.config.Topic, int32(count)
	switch after.Sync {
	case stateUnlinked:
		rows, err := s.queries.OrganizationPageUnlinked(ctx, pool, dbsqlc.OrganizationPageUnlinkedParams{
			AfterID: after.After, MaxRows: maxRows,
		})
		return convert(rows, func(row dbsqlc.Organization) pageRow { return pageRow{Organization: row} }), err
	case outbox.StateDirty:
		rows, err := s.queries.OrganizationPageDirty(ctx, pool, dbsqlc.OrganizationPageDirtyParams{
			Topic: topic, AfterTime: after.Time, AfterKey: after.After, MaxRows: maxRows,
		})
		return convert(rows, func(row dbsqlc.OrganizationPageDirtyRow) pageRow { return pageRow(row) }), err
	case outbox.StateParked:
		rows, err := s.queries.OrganizationPageParked(ctx, pool, dbsqlc.OrganizationPageParkedParams{
			Topic: topic, AfterTime: after.Time, AfterKey: after.After, MaxRows: maxRows,
		})
		return convert(rows, func(row dbsqlc.OrganizationPageParkedRow) pageRow { return pageRow(row) }), err
	default:
		rows, err := s.queries.OrganizationPage(ctx, pool, dbsqlc.OrganizationPageParams{
			Topic: topic, AfterID: after.After, MaxRows: maxRows,
		})
		return convert(rows, func(row dbsqlc.OrganizationPageRow) pageRow { return pageRow(row) }), err
	}
}

func convert[From, To any](rows []From, to func(From) To) []To {
	converted := make([]To, len(rows))
	for i, row := range rows {
		converted[i] = to(row)
	}
	return converted
}
