package jobs

import (
	"context"

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

// Waker describes the jobs to the outbox, which inserts them, and pauses the queue that they are in. It implements
// outbox.Waker and outbox.QueuePauser.
type Waker struct {
	client *river.Client[pgx.Tx]
}

// NewWaker returns a Waker on client, which may be insert-only.
func NewWaker(client *river.Client[pgx.Tx]) Waker { return Waker{client: client} }

// WakeUp returns the job that a [deliveryWorker] works. It remembers ctx's span.
func (w Waker) WakeUp(ctx context.Context) (outbox.WakeUp, error) {
	metadata, err := causeMetadata(ctx)
	if err != nil {
		return outbox.WakeUp{}, err
	}
	return outbox.WakeUp{Kind: deliveryArgs{}.Kind(), MaxAttempts: river.MaxAttemptsDefault, Metadata: metadata}, nil
}
