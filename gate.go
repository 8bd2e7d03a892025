package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/outbox"
)

// Gate is what stands between all organizations and Clerk, at one instant.
type Gate struct {
	Now         time.Time       // the database's
	Destination outbox.Standing // what Clerk asked for, breaker, budget
	Queue       Queue

	// OpenedBy opened the breaker and PausedBy paused the queue by hand, according to the operator log; nil: nobody did, or it
	// does not tell.
	OpenedBy, PausedBy *OperatorAction
}

// Queue is River's queue of the pushes.
type Queue struct {
	Known    bool       // false: no process has worked it yet
	PausedAt *time.Time // nil: it is not paused
	// PausedByBreaker is whether the breaker paused it and will resume it; if not, a person has to.
	PausedByBreaker bool
}

// River is what is asked of a River client, which may be one that only inserts.
type River interface {
	JobGetTx(ctx context.Context, tx pgx.Tx, id int64) (*rivertype.JobRow, error)
	QueueGetTx(ctx context.Context, tx pgx.Tx, name string) (*rivertype.Queue, error)
}

// Gate returns what stands between all organizations and Clerk.
func (s *Sync) Gate(ctx context.Context, river River) (gate Gate, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		gate, err = s.gateTx(ctx, tx, river)
		return err
	})
	return gate, err
}

// snapshot runs fn on the database as it is at one instant.
func (s *Sync) snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.jobs.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
}

func (s *Sync) gateTx(ctx context.Context, tx pgx.Tx, river River) (gate Gate, err error) {
	if gate.Now, err = s.outbox.Clock(ctx, tx); err != nil {
		return Gate{}, err
	}
	if gate.Destination, err = s.outbox.Standing(ctx, tx, Topic); err != nil {
		return Gate{}, err
	}
	queue, err := river.QueueGetTx(ctx, tx, Topic)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return gate, gate.findWhoTx(ctx, tx)
	case err != nil:
		return Gate{}, fmt.Errorf("looking at queue %s: %w", Topic, err)
	}
	gate.Queue = Queue{Known: true, PausedAt: queue.PausedAt}
	if breaker := gate.Destination.Breaker; breaker != nil && breaker.QueuePausedAt != nil && queue.PausedAt != nil {
		gate.Queue.PausedByBreaker = breaker.QueuePausedAt.Equal(*queue.PausedAt)
	}
	return gate, gate.findWhoTx(ctx, tx)
}

// sameAction is how far apart an action and what came of it may be in time: River's times are those of a process.
const sameAction = time.Minute

// findWhoTx finds who stopped everything, if a person did.
func (g *Gate) findWhoTx(ctx context.Context, tx pgx.Tx) (err error) {
	if since := g.Queue.pausedByHand(); since != nil {
		g.PausedBy, err = lastActionTx(ctx, tx, ActionQueuePause, Topic, since.Add(sameAction))
		if g.PausedBy != nil && g.PausedBy.At.Before(since.Add(-sameAction)) { // of an earlier pause
			g.PausedBy = nil
		}
	}
	breaker := g.Destination.Breaker
	if err == nil && breaker != nil && breaker.Cause == outbox.CauseOperator {
		// Also of one who took it over: it had been open before.
		g.OpenedBy, err = lastActionTx(ctx, tx, ActionBreakerOpen, breaker.Reason, g.Now)
		if g.OpenedBy != nil && g.OpenedBy.At.Before(breaker.Since.Add(-sameAction)) {
			g.OpenedBy = nil
		}
	}
	return err
}

// pausedByHand returns when a person paused the queue; nil: it is not paused, or the breaker's.
func (q Queue) pausedByHand() *time.Time {
	if q.PausedByBreaker {
		return nil
	}
	return q.PausedAt
}
