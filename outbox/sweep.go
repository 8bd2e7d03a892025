package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// sweepBatch keeps the transactions of a sweep small.
	sweepBatch = 500
	// sweepTurn is how long a sweep keeps the others from beginning one. It stops there: what is left is the next one's.
	sweepTurn = 5 * time.Second
	// sweepShare bounds what sweeping costs: after a sweep over a large backlog the pause is so many times as long, but
	// no longer than sweepMaxPause, which a killed process's keys have to wait beyond their lease.
	sweepShare    = 9
	sweepMaxPause = 8 * time.Second
	// sweepPatience is how far from now a live job may be scheduled: more than the 5 s between two looks of River's
	// scheduler.
	sweepPatience = 8 * time.Second
	// sweepGrace is how long after a failure a job may take to be put back: River does that in batches.
	sweepGrace = time.Second
)

// Sweep finds the topic's rows that are due and that nothing will deliver, and gives each a new job. Rows in doubt get
// one when they are to be verified. It does nothing if another process is at it, or ended less than pause ago, or while
// the destination is blocked or its breaker open. Returns how many rows it woke to be delivered: in a healthy system
// none, each is a job that was lost.
func (o *Outbox) Sweep(ctx context.Context, conn Conn, waker Waker, topic string, pause time.Duration) (int, error) {
	turnEnds, err := o.queries.DestinationSweepBegin(ctx, conn, dbsqlc.DestinationSweepBeginParams{Topic: topic, Turn: sweepTurn})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("beginning to sweep %s: %w", topic, err)
	}
	started := time.Now()
	woken, err := o.sweepRows(ctx, conn, waker, topic, started.Add(sweepTurn))
	if err == nil {
		err = o.sweepUnverified(ctx, conn, waker, topic)
	}
	if err != nil {
		return woken, fmt.Errorf("sweeping %s: %w", topic, err)
	}
	pause = max(pause, min(sweepShare*time.Since(started), sweepMaxPause))
	end := dbsqlc.DestinationSweepEndParams{Topic: topic, Pause: pause, TurnEnds: turnEnds}
	if err := o.queries.DestinationSweepEnd(ctx, conn, end); err != nil {
		return woken, fmt.Errorf("ending to sweep %s: %w", topic, err)
	}
	return woken, nil
}

// sweepRows walks the backlog in batches, each a transaction, until its end or the deadline.
func (o *Outbox) sweepRows(ctx context.Context, conn Conn, waker Waker, topic string, deadline time.Time) (int, error) {
	woken := 0
	var last dbsqlc.OutboxSweepRow // the zero time is before any row's
	for time.Now().Before(deadline) {
		var rows []dbsqlc.OutboxSweepRow
		err := db.Transact(ctx, conn, func(tx pgx.Tx) (err error) {
			rows, err = o.sweepTx(ctx, tx, waker, topic, last)
			return err
		})
		if err != nil {
			return woken, err
		}
		for _, row := range rows {
			if row.Lost {
				woken++
			}
		}
		if len(rows) < sweepBatch {
			break
		}
		last = rows[len(rows)-1]
	}
	return woken, nil
}

func (o *Outbox) sweepTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, after dbsqlc.OutboxSweepRow,
) ([]dbsqlc.OutboxSweepRow, error) {
	// Compiling the query costs a hundred times what it takes, and is done where statistics remember a large backlog.
	if _, err := tx.Exec(ctx, "SET LOCAL jit = off"); err != nil {
		return nil, err
	}
	rows, err := o.queries.OutboxSweep(ctx, o.river.in(tx), dbsqlc.OutboxSweepParams{
		Topic: topic, AfterDirtySince: after.DirtySince, AfterKey: after.Key,
		Lease: o.lease, Patience: sweepPatience, Grace: sweepGrace, MaxRows: sweepBatch,
	})
	if err != nil {
		return nil, err
	}
	keys := map[Priority][]string{}
	for _, row := range rows {
		keys[Priority(row.Priority)] = append(keys[Priority(row.Priority)], row.Key)
	}
	for _, priority := range slices.Sorted(maps.Keys(keys)) {
		if err := o.wakeTx(ctx, tx, waker, topic, priority, keys[priority]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// sweepUnverified takes one batch: verifications are not urgent, and what is left is the next sweep's.
func (o *Outbox) sweepUnverified(ctx context.Context, conn Conn, waker Waker, topic string) error {
	return db.Transact(ctx, conn, func(tx pgx.Tx) error {
		keys, err := o.queries.OutboxSweepUnverified(ctx, o.river.in(tx), dbsqlc.OutboxSweepUnverifiedParams{
			Topic: topic, Lease: o.lease, Patience: sweepPatience, Grace: sweepGrace, MaxRows: sweepBatch,
		})
		if err != nil {
			return err
		}
		return o.wakeTx(ctx, tx, waker, topic, PriorityRoutine, keys)
	})
}
