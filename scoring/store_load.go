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

// lock loads an organization and locks it, in one round trip, and returns the database's time. Returns ErrNotFound for
// an unknown id.
//
// The row is locked by a statement of its own that comes first: the facts are then read in a snapshot taken after the
// lock, and so include what the transaction wrote that we waited for. That orders calculations: of two transactions
// that change different facts of one organization, the second sees the first's.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, id string) (*revision, time.Time, error) {
	revisions, clock, err := s.load(ctx, tx, dbsqlc.OrganizationLock, []string{id})
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(revisions) == 0 {
		return nil, time.Time{}, fmt.Errorf("organization %s: %w", id, ErrNotFound)
	}
	return revisions[0], clock, nil
}

// load reads by query, OrganizationLock or OrganizationGetMany, those of the organizations that exist, with their
// facts, and the database's time.
func (s *Store) load(ctx context.Context, tx pgx.Tx, query string, ids []string) ([]*revision, time.Time, error) {
	var rows []dbsqlc.Organization
	var now time.Time
	facts := make(map[string]*Facts, len(ids))
	for _, id := range ids {
		facts[id] = &Facts{}
	}

	batch := &pgx.Batch{}
	batch.Queue(query, ids).Query(func(found pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[dbsqlc.Organization])
		return err
	})
	batch.Queue("SELECT clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	for _, table := range factTables {
		table.queueLoad(batch, ids, facts)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, time.Time{}, fmt.Errorf("loading %s: %w", describe(ids), err)
	}

	revisions := make([]*revision, len(rows))
	for i, row := range rows {
		org, err := OrganizationOf(row)
		if err != nil {
			return nil, time.Time{}, err
		}
		revisions[i] = &revision{before: org, after: org, facts: facts[row.ID]}
	}
	return revisions, now.UTC(), nil
}

// describe names a few organizations in an error.
func describe(ids []string) string {
	if len(ids) == 1 {
		return "organization " + ids[0]
	}
	return fmt.Sprintf("%d organizations from %s", len(ids), slices.Min(ids))
}
