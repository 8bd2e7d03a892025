package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// changePatience is how old a change is before its organization is waited for.
	changePatience = 2 * time.Second
	// contendedAmong is among how many of the first changes of either kind such a one is looked for, in some 5 ms.
	contendedAmong = 10_000
)

// RecalculateContendedTx is RecalculateChangedTx for one organization that this has passed over for some seconds, most likely
// since somebody had it locked each time that it looked. It waits for its turn at the lock, which everybody gets, for as long
// as tx's lock_timeout says; if it does not come by then, nothing was due.
func (s *Store) RecalculateContendedTx(ctx context.Context, tx pgx.Tx, query DueQuery) (Due, error) {
	id, err := s.queries.OrganizationChangesContended(ctx, tx, dbsqlc.OrganizationChangesContendedParams{
		Patience: changePatience, Most: contendedAmong, Skipped: append([]string{}, query.Skipped...), // not nil, as in claimDue
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Due{}, nil
	}
	if err != nil {
		return Due{}, fmt.Errorf("looking for a change that was passed over: %w", err)
	}
	locked, err := s.waitFor(ctx, tx, id)
	if err != nil || !locked {
		return Due{}, err
	}
	rows, err := s.queries.OrganizationChangesTakeOf(ctx, tx, dbsqlc.OrganizationChangesTakeOfParams{
		OrganizationID: id, Most: contendedAmong,
	})
	if err != nil {
		return Due{}, fmt.Errorf("taking the changes of organization %s: %w", id, err)
	}
	taken := newChanges()
	for _, row := range rows {
		taken.add(dbsqlc.OrganizationChangesTakeRow(row))
	}
	return s.calculateChanges(ctx, tx, query, taken)
}

// waitFor locks an organization, if it gets it in time. One that is gone has nothing that could be locked.
func (s *Store) waitFor(ctx context.Context, tx pgx.Tx, id string) (bool, error) {
	err := pgx.BeginFunc(ctx, tx, func(attempt pgx.Tx) error {
		_, err := s.queries.OrganizationLock(ctx, attempt, []string{id})
		return err
	})
	if db.Code(err) == lockNotAvailable {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("waiting for organization %s: %w", id, err)
	}
	return true, nil
}
