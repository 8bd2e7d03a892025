package claimsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// driftTurn is how long a process that stands still keeps the others from checking.
	driftTurn = time.Minute
	// driftTurnTimeout bounds what ends a turn, also when the process is told to stop.
	driftTurnTimeout = 3 * time.Second
	// maxFailureLength bounds the text of a failure in the database, in bytes.
	maxFailureLength = 1000
)

// turn is this process's turn to check, which it holds until it ends it.
type turn struct {
	sync   *Sync
	ends   time.Time // by the database's clock: whose turn it is
	repair bool      // what the check finds
}

// beginTurn returns nil if it is another process's turn, or not time.
func (s *Sync) beginTurn(ctx context.Context) (*turn, error) {
	// Not to be cut short: it may have been taken, and nobody would know to give it up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), driftTurnTimeout)
	defer cancel()
	begun, err := dbsqlc.New().DriftTurnBegin(ctx, s.jobs.Pool, dbsqlc.DriftTurnBeginParams{
		Topic: Topic, Turn: s.drift.turn, First: min(driftFirst, s.drift.every), Retry: min(driftRetry, s.drift.every),
		Every: s.drift.every, Periodic: s.drift.every >= 0,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking the turn to check for drift: %w", err)
	}
	repair := s.drift.repair
	if begun.RequestedRepair != nil {
		repair = *begun.RequestedRepair
	}
	return &turn{sync: s, ends: begun.TurnEnds, repair: repair}, nil
}

var errTurnLost = errors.New("the turn to check for drift was lost to another process")

// during runs fn, and extends the turn meanwhile. If the turn is lost, fn's context ends, with errTurnLost.
func (t *turn) during(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	extended := make(chan struct{})
	go func() {
		defer close(extended)
		for pause(ctx, t.sync.drift.turn/3) == nil {
			if err := t.extend(ctx); err != nil {
				cancel(err)
			}
		}
	}()
	err := fn(ctx)
	if errors.Is(context.Cause(ctx), errTurnLost) {
		err = errTurnLost
	}
	cancel(nil)
	<-extended
	return err
}

// extend returns errTurnLost if there is nothing to extend. A database that does not answer may do so the next time.
func (t *turn) extend(ctx context.Context) error {
	// Not to be cut short: then nobody would know until when the turn is.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), driftTurnTimeout)
	defer cancel()
	ends, err := dbsqlc.New().DriftTurnExtend(ctx, t.sync.jobs.Pool, dbsqlc.DriftTurnExtendParams{
		Topic: Topic, Turn: t.sync.drift.turn, TurnEnds: t.ends,
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errTurnLost
	case err == nil:
		t.ends = ends
	}
	return nil
}

// end ends the turn; cause is why the check failed, nil if it did not. Interrupted, it is to be made by another process
// at once.
func (t *turn) end(ctx context.Context, cause error) error {
	interrupted := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), driftTurnTimeout)
	defer cancel()
	queries, pool := dbsqlc.New(), t.sync.jobs.Pool
	if interrupted && cause != nil {
		return queries.DriftTurnGiveUp(ctx, pool, dbsqlc.DriftTurnGiveUpParams{Topic: Topic, TurnEnds: t.ends})
	}
	params := dbsqlc.DriftTurnEndParams{Topic: Topic, TurnEnds: t.ends}
	if cause != nil {
		params.Failure = new(fitForText(cause.Error()))
	}
	return queries.DriftTurnEnd(ctx, pool, params)
}

// fitForText makes a text fit for a column: bounded, valid UTF-8, without NUL.
func fitForText(text string) string {
	if len(text) > maxFailureLength {
		text = text[:maxFailureLength] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
