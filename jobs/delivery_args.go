package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/outbox"
)

// deliveryArgs is the wake-up for one outbox row. It carries no state: the worker reads what is current.
type deliveryArgs struct {
	Topic string `json:"topic"`
	Key   string `json:"key"`
}

// Kind is River's name of the job.
func (deliveryArgs) Kind() string { return "outbox_delivery" }

// Waker inserts wake-ups through a River client, which may be insert-only, and pauses the queue that they are in. It
// implements outbox.Waker and outbox.QueuePauser.
type Waker struct {
	client *river.Client[pgx.Tx]
}

// NewWaker returns a Waker on client.
func NewWaker(client *river.Client[pgx.Tx]) Waker { return Waker{client: client} }

// WakeTx inserts one job per key in tx, in the queue named as the topic, and returns the jobs' ids in the keys' order.
// The jobs remember ctx's span: here and not in a plugin of the client's, so that an application's own client needs none.
func (w Waker) WakeTx(
	ctx context.Context, tx pgx.Tx, topic string, priority outbox.Priority, keys []string,
) ([]int64, error) {
	metadata, err := causeMetadata(ctx)
	if err != nil {
		return nil, err
	}
	opts := &river.InsertOpts{Queue: topic, Priority: int(priority), Metadata: metadata}
	params := make([]river.InsertManyParams, len(keys))
	for i, key := range keys {
		params[i] = river.InsertManyParams{Args: deliveryArgs{Topic: topic, Key: key}, InsertOpts: opts}
	}
	inserted, err := w.client.InsertManyTx(ctx, tx, params)
	if err != nil {
		return nil, err
	}
	if len(inserted) != len(keys) {
		return nil, fmt.Errorf("river inserted %d jobs for %d keys", len(inserted), len(keys))
	}
	ids := make([]int64, len(inserted))
	for i, result := range inserted {
		ids[i] = result.Job.ID
	}
	return ids, nil
}
