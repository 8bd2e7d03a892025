package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// sweepBatch keeps the transactions of a sweep small.
	sweepBatch = 500
	// sweepBatches bounds one sweep: what is left is the next one's, by another process perhaps.
	sweepBatches = 40
	// sweepPatience is how long after now a live job may be scheduled: a little more than the interval at which
	// River's scheduler looks.
	sweepPatience = 6 * time.Second
)

// Sweep finds the topic's rows that are due and that nothing will deliver, and gives each a new job. It does nothing if
// another process swept less than every ago, or while the destination is blocked. Returns how many rows it woke: in a
// healthy system none, each is a job that was lost.
func (o *Outbox) Sweep(ctx context.Context, conn SweepConn, waker Waker, topic string, every time.Duration) (int, error) {
	begun, err := o.queries.DestinationSweepBegin(ctx, conn, dbsqlc.DestinationSweepBeginParams{Topic: topic, Every: every})
	if err != nil {
		return 0, fmt.Errorf("beginning to sweep %s: %w", topic, err)
	}
	if begun == 0 {
		return 0, nil
	}
	total := 0
	for range sweepBatches {
		var woken int
		err := db.Transact(ctx, conn, func(tx pgx.Tx) (err error) {
			woken, err = o.sweepTx(ctx, tx, waker, topic)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("sweeping %s: %w", topic, err)
		}
		total += woken
		if woken < sweepBatch {
			break
		}
	}
	return total, nil
}

// SweepConn is what a sweep needs: a pool or a connection.
type SweepConn interface {
	db.Beginner
	dbsqlc.DBTX
}

func (o *Outbox) sweepTx(ctx context.Context, tx pgx.Tx, waker Waker, topic string) (int, error) {
	keys, err := o.queries.OutboxSweep(ctx, o.river.In(tx), dbsqlc.OutboxSweepParams{
		Topic: topic, Lease: o.lease, Patience: sweepPatience, MaxRows: sweepBatch,
	})
	if err != nil {
		return 0, err
	}
	return len(keys), o.wakeTx(ctx, tx, waker, topic, keys)
}
