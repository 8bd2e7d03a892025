package jobs

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/outbox"
)

// deliveryWorker does steps 2 to 4 of the protocol in outbox/doc.go, claim, deliver, acknowledge, and 6, verify.
type deliveryWorker struct {
	river.WorkerDefaults[deliveryArgs]
	config Config
	lanes  map[string]*lane // of the topics
}

type deliveryJob = river.Job[deliveryArgs]

func newDeliveryWorker(config Config) *deliveryWorker {
	config.bursts = newBurstLog(config.Logger)
	context.AfterFunc(config.Stopping, config.bursts.end)
	w := &deliveryWorker{config: config, lanes: map[string]*lane{}}
	for topic := range config.Destinations {
		w.lanes[topic] = newLane(&w.config, topic)
	}
	return w
}

// Timeout is River's own, the last resort.
func (w *deliveryWorker) Timeout(*deliveryJob) time.Duration { return jobTimeout }

// NextRetry is for the unexpected, such as a lost database: what the destination answers is not retried by River.
func (w *deliveryWorker) NextRetry(job *deliveryJob) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt)*time.Second, 5*time.Second))
}

func (w *deliveryWorker) Work(ctx context.Context, job *deliveryJob) error {
	err := w.work(ctx, job)
	if err != nil && !errors.As(err, new(*river.JobSnoozeError)) && !errors.As(err, new(*loggedError)) {
		w.logBroken(ctx, job, err)
	}
	return err
}

// logBroken is for a job that broke beside the delivery: the database is away.
func (w *deliveryWorker) logBroken(ctx context.Context, job *deliveryJob, err error) {
	kind := likenessOf(job.Args.Topic, job.Args.Key, "broke", outbox.Receipt{}, err)
	if !w.config.bursts.due(slog.LevelError, kind, err.Error()) {
		return
	}
	w.config.Logger.ErrorContext(ctx, "Delivery broke: River tries again", "topic", job.Args.Topic, "key", job.Args.Key,
		"job_id", job.ID, "attempt", job.Attempt, "err", err)
}

func (w *deliveryWorker) work(ctx context.Context, job *deliveryJob) error {
	destination, ok := w.config.Destinations[job.Args.Topic]
	if !ok {
		// Another version of the program may know it, as during a rolling deploy.
		w.config.Logger.WarnContext(ctx, "No destination for topic", "topic", job.Args.Topic, "job_id", job.ID)
		return river.JobSnooze(time.Minute)
	}
	attempt := &attempt{
		config: &w.config, lane: w.lanes[job.Args.Topic], lease: outbox.Lease{Topic: job.Args.Topic, Key: job.Args.Key},
		queue: NewWaker(river.ClientFromContext[pgx.Tx](ctx)), job: job,
	}
	claimed, err := w.claim(ctx, attempt)
	if err != nil {
		return err
	}
	switch claimed.Verdict {
	case outbox.Claimed, outbox.Unverified:
		return attempt.carryOut(ctx, claimed.Verdict, destination)
	case outbox.Clean, outbox.Parked:
		return nil
	case outbox.Locked:
		return snooze(time.Now().Add(lockedPause))
	case outbox.Blocked, outbox.Open:
		return putBack(job)
	default:
		return snooze(claimed.Until)
	}
}

// claim claims the row when it is the job's turn. A destination that may not be called is waited for, as a turn is, but
// not for long: the job is to be back in the queue before a sweep takes it for lost.
func (w *deliveryWorker) claim(ctx context.Context, a *attempt) (claim outbox.Claim, err error) {
	waiting, cancel := context.WithTimeout(ctx, w.config.patience())
	defer cancel()
	defer context.AfterFunc(w.config.Stopping, cancel)()
	for {
		if err := a.lane.turn(waiting, a.job); err != nil {
			if waiting.Err() != nil {
				err = putBack(a.job)
			}
			return outbox.Claim{}, err
		}
		claim, err = a.claim(ctx)
		if claim.Held() {
			return claim, nil
		}
		a.lane.giveBack()
		switch {
		case err != nil:
			return claim, err
		case claim.Verdict == outbox.Blocked:
			sleep(waiting, claim.Wait+rand.N(askSpread))
		case claim.Verdict == outbox.Open:
			sleep(waiting, askAgain)
		default:
			return claim, nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
