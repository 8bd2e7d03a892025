package outbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Waker inserts the jobs that wake a worker up.
type Waker interface {
	// WakeTx inserts one job per key in tx, and returns the jobs' ids in the keys' order.
	WakeTx(ctx context.Context, tx pgx.Tx, topic string, priority Priority, keys []string) ([]int64, error)
}

// MarkTx records in tx that the state of the keys changed, and sees to it that each will be delivered once tx commits.
// Nothing happens if it rolls back. Repeated keys count once. A parked key is tried again. A key that waits for its turn
// already is delivered as the most urgent of its marks.
//
// It locks the keys' rows, sorted, until tx ends. A transaction at REPEATABLE READ or above can fail with 40001 here
// if another one marked the same key meanwhile, and must be retried by its owner, as for any row it updates.
func (o *Outbox) MarkTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys ...string,
) error {
	if len(keys) == 0 {
		return nil
	}
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)

	marked, err := o.queries.OutboxMark(ctx, tx, dbsqlc.OutboxMarkParams{Topic: topic, Keys: keys, Priority: int16(priority)})
	if err != nil {
		return fmt.Errorf("marking %d outbox rows of %s: %w", len(keys), topic, err)
	}
	var asleep []string
	for _, row := range marked {
		if row.NeedsJob {
			asleep = append(asleep, row.Key)
		}
	}
	return o.wakeTx(ctx, tx, waker, topic, priority, asleep)
}

// wakeTx inserts a job for each key and notes it in the key's row, which tx has locked.
func (o *Outbox) wakeTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys []string,
) error {
	if len(keys) == 0 {
		return nil
	}
	ids, err := waker.WakeTx(ctx, tx, topic, priority, keys)
	if err != nil {
		return fmt.Errorf("inserting %d jobs of %s: %w", len(keys), topic, err)
	}
	err = o.queries.OutboxJobSet(ctx, o.river.in(tx), dbsqlc.OutboxJobSetParams{
		Topic: topic, Keys: keys, JobIds: ids, Priority: int16(priority),
	})
	if err != nil {
		return fmt.Errorf("noting %d jobs of %s: %w", len(keys), topic, err)
	}
	return nil
}
