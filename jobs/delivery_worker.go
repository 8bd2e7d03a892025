package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// deliveryWorker does steps 2 to 4 of the protocol in outbox/doc.go, claim, deliver, acknowledge, and 6, verify.
type deliveryWorker struct {
	river.WorkerDefaults[DeliveryArgs]
	config Config
}

type deliveryJob = river.Job[DeliveryArgs]

func newDeliveryWorker(config Config) *deliveryWorker { return &deliveryWorker{config: config} }

// Timeout is River's own, the last resort.
func (w *deliveryWorker) Timeout(*deliveryJob) time.Duration { return jobTimeout }

// NextRetry is for the unexpected, such as a lost database: what the destination answers is not retried by River.
func (w *deliveryWorker) NextRetry(job *deliveryJob) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt)*time.Second, 5*time.Second))
}

func (w *deliveryWorker) Work(ctx context.Context, job *deliveryJob) error {
	err := w.work(ctx, job)
	if err != nil && !errors.As(err, new(*river.JobSnoozeError)) {
		w.config.Logger.ErrorContext(ctx, "Delivery broke: River tries again", "topic", job.Args.Topic, "key", job.Args.Key,
			"job_id", job.ID, "attempt", job.Attempt, "err", err)
	}
	return err
}

func (w *deliveryWorker) work(ctx context.Context, job *deliveryJob) error {
	destination, ok := w.config.Destinations[job.Args.Topic]
	if !ok {
		// Another version of the program may know it, as during a rolling deploy.
		w.config.Logger.WarnContext(ctx, "No destination for topic", "topic", job.Args.Topic, "job_id", job.ID)
		return river.JobSnooze(time.Minute)
	}
	leaseEnd := time.Now().Add(w.config.Outbox.Lease())
	claim, err := w.config.Outbox.Claim(ctx, w.config.Pool, job.Args.Topic, job.Args.Key, job.ID)
	if err != nil {
		return err
	}
	attempt := &attempt{worker: w, job: job, lease: claim.Lease, leaseEnd: leaseEnd}
	switch claim.Verdict {
	case outbox.Claimed:
		return attempt.deliver(ctx, destination)
	case outbox.Unverified:
		return attempt.verify(ctx, destination)
	case outbox.Clean, outbox.Parked:
		return nil
	case outbox.Locked:
		return snooze(time.Now().Add(lockedPause))
	default:
		return snooze(claim.Until)
	}
}

// snooze waits until a time of the database's, without burning an attempt. River adds the duration to this process's
// clock, so the time is exact again even where that clock is wrong; where it is ahead the duration is negative, which
// River's constructor refuses but its executor does right. The spread keeps jobs that waited for the same instant from
// arriving as one.
func snooze(until time.Time) error {
	spread := 10*time.Millisecond + rand.N(100*time.Millisecond)
	return &river.JobSnoozeError{Duration: time.Until(until) + spread}
}

// transact runs fn in a transaction together with the completion of the job.
func (w *deliveryWorker) transact(ctx context.Context, job *deliveryJob, fn func(pgx.Tx, outbox.Waker) error) error {
	waker := NewWaker(river.ClientFromContext[pgx.Tx](ctx))
	return db.Transact(ctx, w.config.Pool, func(tx pgx.Tx) error {
		if err := fn(tx, waker); err != nil {
			return err
		}
		// A job that was deleted or finished by hand meanwhile needs no completion: the row is what counts.
		_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		if err != nil && !errors.Is(err, rivertype.ErrNotFound) {
			return fmt.Errorf("completing job %d: %w", job.ID, err)
		}
		return nil
	})
}
