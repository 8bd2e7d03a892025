package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// settle records how the delivery ended, and returns what River is to do with the job.
func (a *attempt) settle(ctx context.Context, err error) error {
	var failure *outbox.Failure
	switch {
	case err == nil:
		return a.acknowledge(ctx)
	case a.canceled:
		return a.release(ctx, canceled(a.receipt, err), 0)
	case errors.As(err, &failure):
		return a.fail(ctx, failure)
	default:
		return a.broke(ctx, err)
	}
}

// canceled is the failure of a delivery that the stopping process did not wait for.
func canceled(receipt outbox.Receipt, err error) *outbox.Failure {
	var failure *outbox.Failure
	inDoubt := errors.As(err, &failure) && failure.MayLand()
	return &outbox.Failure{Action: outbox.Canceled, InDoubt: inDoubt, Receipt: receipt, Err: err}
}

func (a *attempt) acknowledge(ctx context.Context) error {
	config := a.config
	acknowledge := a.acknowledgeAlone
	if a.lane != nil {
		acknowledge = func(ctx context.Context) (time.Duration, error) { return a.lane.acknowledgements.Do(ctx, a) }
	}
	lag, err := acknowledge(ctx)
	if errors.Is(err, outbox.ErrLeaseLost) {
		return a.fenced(ctx, a.receipt, nil)
	}
	if err != nil {
		return err
	}
	config.Observer.Applied(a.lease.Topic, lag)
	a.log(ctx, slog.LevelInfo, "Delivered", "applied", a.receipt, nil)
	return nil
}

// acknowledgeAlone is for what cannot be acknowledged together with others, and returns what took so long, as
// [outbox.Outbox.AcknowledgeTx].
func (a *attempt) acknowledgeAlone(ctx context.Context) (lag time.Duration, err error) {
	err = db.Transact(ctx, a.config.Pool, func(tx pgx.Tx) (err error) {
		lag, err = a.config.Outbox.AcknowledgeTx(ctx, tx, a.queue, a.acknowledgement())
		return err
	})
	return lag, err
}

func (a *attempt) acknowledgement() outbox.Acknowledgement {
	return outbox.Acknowledgement{Lease: a.lease, Receipt: a.receipt, Duration: a.duration}
}

// fail does what the failure calls for. The order matters: first nobody else runs into the same wall.
func (a *attempt) fail(ctx context.Context, failure *outbox.Failure) error {
	config := a.config
	change, failure, err := config.Outbox.Blame(ctx, config.Pool, a.queue, a.lease.Topic, a.lease.Key, failure)
	config.logBreaker(ctx, a.lease.Topic, change)
	if err != nil {
		return err
	}
	a.failure = failure
	decision := outbox.Decide(failure, a.lease.Failures)
	if decision.Block > 0 {
		if err := a.holdBack(ctx, failure, decision); err != nil {
			return err
		}
	}
	if decision.Park {
		return a.park(ctx, failure)
	}
	return a.release(ctx, failure, decision.Delay)
}

// holdBack keeps everybody from calling for as long as the destination said.
func (a *attempt) holdBack(ctx context.Context, failure *outbox.Failure, decision outbox.Decision) error {
	config, topic := a.config, a.lease.Topic
	if !decision.Limit {
		return config.Outbox.Block(ctx, config.Pool, topic, decision.Block, failure.Error())
	}
	rate, err := config.Outbox.Throttle(ctx, config.Pool, topic, decision.Block, failure.Error())
	if err != nil {
		return err
	}
	kind := likenessOf(topic, a.lease.Key, "rate limited", failure.Receipt, failure)
	if config.bursts.due(slog.LevelWarn, kind, failure.Error()) {
		config.Logger.WarnContext(ctx, "Rate limited: everybody waits, and is slower afterwards",
			"topic", topic, "retry_after", decision.Block, "rate", rate)
	}
	return nil
}

func (a *attempt) park(ctx context.Context, failure *outbox.Failure) error {
	config := a.config
	err := a.transact(ctx, func(tx pgx.Tx) error {
		return config.Outbox.ParkTx(ctx, tx, a.queue, a.lease, failure, a.duration)
	})
	if errors.Is(err, outbox.ErrLeaseLost) {
		return a.fenced(ctx, failure.Receipt, failure)
	}
	if err != nil {
		return err
	}
	a.log(ctx, slog.LevelError, "Delivery parked", string(outbox.Park), failure.Receipt, failure)
	return nil
}

// release gives the row back and lets its job go on when it is due.
func (a *attempt) release(ctx context.Context, failure *outbox.Failure, delay time.Duration) error {
	config := a.config
	until, err := config.Outbox.Release(ctx, config.Pool, a.lease, failure, delay, a.duration)
	if errors.Is(err, outbox.ErrLeaseLost) {
		return a.fenced(ctx, failure.Receipt, failure)
	}
	if err != nil {
		return err
	}
	a.log(ctx, levelOf(failure.Action), "Delivery failed", string(failure.Action), failure.Receipt, failure,
		slog.Duration("retry_in", delay))
	return snooze(until)
}

// broke is for what the destination is not responsible for: River's own retries.
func (a *attempt) broke(ctx context.Context, cause error) error {
	config := a.config
	failure := &outbox.Failure{Action: outbox.Retry, Receipt: a.receipt, Err: cause}
	_, err := config.Outbox.Release(ctx, config.Pool, a.lease, failure, 0, a.duration)
	if errors.Is(err, outbox.ErrLeaseLost) {
		return a.fenced(ctx, a.receipt, failure)
	}
	if err != nil {
		return errors.Join(cause, err)
	}
	a.log(ctx, slog.LevelError, "Delivery broke: River tries again", string(failure.Action), a.receipt, cause)
	return &loggedError{cause}
}

// loggedError is what went wrong with a delivery whose line is in the log already.
type loggedError struct{ error }

func (e *loggedError) Unwrap() error { return e.error }

// fenced: the lease was lost, so the result does not count; the job has nothing more to do.
func (a *attempt) fenced(ctx context.Context, receipt outbox.Receipt, failure *outbox.Failure) error {
	config := a.config
	if err := config.Outbox.RecordFenced(ctx, config.Pool, a.lease, receipt, failure, a.duration); err != nil {
		return err
	}
	var err error
	if failure != nil {
		err = failure
	}
	a.log(ctx, slog.LevelWarn, "Delivery finished after its lease was lost", outcomeFenced, receipt, err)
	return nil
}

// outcomeFenced is that of a delivery whose result did not count.
const outcomeFenced = "fenced"

// levelOf: what somebody has to look at is an error, what mends itself is not.
func levelOf(action outbox.Action) slog.Level {
	switch action {
	case outbox.Stop:
		return slog.LevelError
	case outbox.Canceled:
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}
