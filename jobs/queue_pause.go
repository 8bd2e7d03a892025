package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"
)

// PauseTx pauses the topic's queue in tx, for all processes: durably, and to be seen in River UI. One that is paused
// already is left to whoever paused it, and one that no process has worked yet to the breaker alone: nil.
func (w Waker) PauseTx(ctx context.Context, tx pgx.Tx, topic string) (*time.Time, error) {
	queue, err := w.client.QueueGetTx(ctx, tx, topic)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking at queue %s: %w", topic, err)
	case queue.PausedAt != nil:
		return nil, nil
	}
	if err := w.client.QueuePauseTx(ctx, tx, topic, nil); err != nil {
		return nil, fmt.Errorf("pausing queue %s: %w", topic, err)
	}
	if queue, err = w.client.QueueGetTx(ctx, tx, topic); err != nil {
		return nil, fmt.Errorf("looking at queue %s: %w", topic, err)
	}
	return queue.PausedAt, nil
}

// ResumeTx resumes the topic's queue in tx, if it was paused at that time: another pause is somebody else's.
func (w Waker) ResumeTx(ctx context.Context, tx pgx.Tx, topic string, pausedAt time.Time) error {
	queue, err := w.client.QueueGetTx(ctx, tx, topic)
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("looking at queue %s: %w", topic, err)
	case queue.PausedAt == nil || !queue.PausedAt.Equal(pausedAt):
		return nil
	}
	if err := w.client.QueueResumeTx(ctx, tx, topic, nil); err != nil {
		return fmt.Errorf("resuming queue %s: %w", topic, err)
	}
	return nil
}
