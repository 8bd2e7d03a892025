package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// DueQuery asks for organizations whose score has changed by the passing of time.
type DueQuery struct {
	Now     time.Time // as of when; zero: the database's clock
	Limit   int32     // no more than so many
	Skipped []string  // not these

	// BulkFirst has RecalculateChangedTx take first what comes last, which must have its turn too where the other never ceases.
	BulkFirst bool
}

// Due is what was due, and what became of it.
type Due struct {
	IDs     []string // the organizations that were calculated, those that had been due for longest first
	Lapsed  bool     // the insurance of these has run out; else something else has changed
	DueAt   time.Time
	Changed int // how many have a new score, or are no longer insured
}

// RecalculateDueTx calculates again organizations whose Score.RecalculateAt has come. Those whose insurance has run out
// come first, and alone. What another transaction has locked is left to it. A score that stays the same is stored with its
// new time, and announces nothing. On an error, the ids are those that were tried.
func (s *Store) RecalculateDueTx(ctx context.Context, tx pgx.Tx, query DueQuery) (Due, error) {
	due, err := s.claimDue(ctx, tx, query)
	if err != nil {
		return Due{}, fmt.Errorf("looking for what is due: %w", err)
	}
	if len(due.IDs) == 0 {
		return Due{}, nil
	}
	urgency := UrgencyAging
	if due.Lapsed {
		urgency = UrgencyLapse
	}
	_, due.Changed, err = s.RecalculateManyTx(ctx, tx, urgency, due.IDs, query.Now)
	return due, err
}

// claimDue locks what is due.
func (s *Store) claimDue(ctx context.Context, tx pgx.Tx, query DueQuery) (due Due, err error) {
	skipped := append([]string{}, query.Skipped...) // not nil: nothing is unequal to all of null
	var now *time.Time
	if !query.Now.IsZero() {
		now = &query.Now
	}
	claim := dbsqlc.OrganizationClaimAgedParams{Now: now, Skipped: skipped, MaxRows: query.Limit}
	lapsed, err := s.queries.OrganizationClaimLapsed(ctx, tx, dbsqlc.OrganizationClaimLapsedParams(claim))
	if err != nil {
		return Due{}, err
	}
	for _, row := range lapsed {
		due.IDs = append(due.IDs, row.ID)
	}
	if len(lapsed) > 0 {
		due.Lapsed, due.DueAt = true, lapsed[0].DueAt
		return due, nil
	}
	aged, err := s.queries.OrganizationClaimAged(ctx, tx, claim)
	if err != nil {
		return Due{}, err
	}
	for _, row := range aged {
		due.IDs = append(due.IDs, row.ID)
	}
	if len(aged) > 0 {
		due.DueAt = aged[0].DueAt
	}
	return due, nil
}
