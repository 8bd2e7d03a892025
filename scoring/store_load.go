package scoring

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// revision is one organization on its way from what is stored to what will be.
type revision struct {
	before Organization
	after  Organization
	facts  *Facts
	result Result // of after, once calculated
}

// loading is what a batch reads of organizations.
type loading struct {
	ids   []string
	rows  []dbsqlc.Organization // of those that exist
	facts map[string]*Facts
	now   time.Time // the database's
}

// queueLoad has a batch read organizations and their facts by query, OrganizationLock or OrganizationGetMany.
//
// OrganizationLock is a statement of its own that comes first: the facts are then read in a snapshot taken after the lock,
// and so include what the transaction wrote that we waited for. That orders calculations: of two transactions that change
// different facts of one organization, the second sees the first's.
func queueLoad(batch *pgx.Batch, query string, ids []string) *loading {
	l := &loading{ids: ids, facts: make(map[string]*Facts, len(ids))}
	for _, id := range ids {
		l.facts[id] = &Facts{}
	}
	batch.Queue(query, ids).Query(func(found pgx.Rows) (err error) {
		l.rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[dbsqlc.Organization])
		return err
	})
	batch.Queue("SELECT clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&l.now) })
	for _, table := range factTables {
		table.queueLoad(batch, ids, l.facts)
	}
	return l
}

// revisions returns what the batch has read.
func (l *loading) revisions() ([]*revision, error) {
	revisions := make([]*revision, len(l.rows))
	for i, row := range l.rows {
		org, err := OrganizationOf(row)
		if err != nil {
			return nil, err
		}
		revisions[i] = &revision{before: org, after: org, facts: l.facts[row.ID]}
	}
	return revisions, nil
}

// calculatedAt is the time of a calculation as of now, zero being the database's clock: in the resolution of the database,
// so that a calculation repeated from calculated_at is the same.
func (l *loading) calculatedAt(now time.Time) time.Time {
	if now.IsZero() {
		now = l.now
	}
	return now.UTC().Truncate(time.Microsecond)
}

// load is queueLoad in one round trip.
func load(ctx context.Context, tx pgx.Tx, query string, ids []string) (*loading, []*revision, error) {
	batch := &pgx.Batch{}
	loaded := queueLoad(batch, query, ids)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, nil, fmt.Errorf("loading %s: %w", describe(ids), err)
	}
	revisions, err := loaded.revisions()
	return loaded, revisions, err
}

// describe names a few organizations in an error.
func describe(ids []string) string {
	switch len(ids) {
	case 0:
		return "what was changed"
	case 1:
		return "organization " + ids[0]
	}
	return fmt.Sprintf("%d organizations from %s", len(ids), slices.Min(ids))
}
