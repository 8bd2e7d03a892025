package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Waker says which jobs wake a worker up.
type Waker interface {
	// WakeUp returns what the jobs are that ctx's cause inserts.
	WakeUp(ctx context.Context) (WakeUp, error)
}

// WakeUp is a River job, but for what the outbox knows: its queue is named as the topic, and its arguments are topic and key.
type WakeUp struct {
	Kind        string
	MaxAttempts int
	Metadata    []byte // a JSON object; nil: an empty one
}

// MarkTx records in tx that the state of the keys changed, and sees to it that each will be delivered once tx commits.
// Nothing happens if it rolls back. Repeated keys count once. A parked key is tried again. A key that waits for its turn
// already is delivered as the most urgent of its marks. It is one round trip.
//
// It locks the keys' rows, sorted, until tx ends. A transaction at REPEATABLE READ or above can fail with 40001 here
// if another one marked the same key meanwhile, and must be retried by its owner, as for any row it updates.
func (o *Outbox) MarkTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys ...string,
) error {
	batch := &pgx.Batch{}
	if err := o.QueueMark(ctx, batch, waker, topic, priority, keys...); err != nil {
		return err
	}
	if batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, batch).Close()
}

// QueueMark is MarkTx as one more query of a batch, that of what has changed: the batch is a transaction of its own, or
// sent in one. So a change and its mark are one round trip.
func (o *Outbox) QueueMark(
	ctx context.Context, batch *pgx.Batch, waker Waker, topic string, priority Priority, keys ...string,
) error {
	if len(keys) == 0 {
		return nil
	}
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	return o.queueJobs(ctx, batch, "marking", dbsqlc.OutboxMark, waker, topic, priority, keys)
}

// wakeTx inserts a job for each key and notes it in the key's row, which tx has locked.
func (o *Outbox) wakeTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys []string,
) error {
	if len(keys) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	if err := o.queueJobs(ctx, batch, "waking", dbsqlc.OutboxWake, waker, topic, priority, keys); err != nil {
		return err
	}
	return tx.SendBatch(ctx, batch).Close()
}

// queueJobs queues one of the statements that insert jobs: both take the same.
func (o *Outbox) queueJobs(
	ctx context.Context, batch *pgx.Batch, doing, statement string, waker Waker, topic string, priority Priority, keys []string,
) error {
	wakeUp, err := waker.WakeUp(ctx)
	if err != nil {
		return fmt.Errorf("%s %d outbox rows of %s: describing their jobs: %w", doing, len(keys), topic, err)
	}
	turn := o.announcer.turn(topic)
	batch.Queue(o.river.rewrite(statement), topic, keys, int16(priority),
		wakeUp.Kind, int16(wakeUp.MaxAttempts), cmp.Or(string(wakeUp.Metadata), "{}"), turn.announces, o.river.channel(),
	).Query(func(rows pgx.Rows) error {
		var job dbsqlc.OutboxMarkRow
		jobs, err := pgx.ForEachRow(rows, []any{&job.Xid, &job.Announced}, func() error { return nil })
		if err != nil {
			return fmt.Errorf("%s %d outbox rows of %s: %w", doing, len(keys), topic, err)
		}
		turn.done(jobs.RowsAffected() > 0, job.Xid)
		return nil
	})
	return nil
}
