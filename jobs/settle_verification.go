package jobs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/outbox"
)

// settleVerification records how reading back ended, and returns what River is to do with the job.
func (a *attempt) settleVerification(ctx context.Context, inStep bool, err error) error {
	var failure *outbox.Failure
	switch {
	case err == nil:
		return a.verified(ctx, inStep)
	case a.canceled:
		return a.release(ctx, canceled(a.receipt, err), 0)
	case !errors.As(err, &failure):
		return a.broke(ctx, err)
	case failure.Action == outbox.Missing, failure.Action == outbox.Park:
		a.failure = failure
		return a.verified(ctx, false) // what to do about that is decided by a push
	default:
		return a.fail(ctx, failure)
	}
}

func (a *attempt) verified(ctx context.Context, inStep bool) error {
	err := a.transact(ctx, func(tx pgx.Tx) error {
		return a.config.Outbox.VerifyTx(ctx, tx, a.queue, a.lease, inStep, a.receipt, a.duration)
	})
	switch {
	case errors.Is(err, outbox.ErrLeaseLost):
		// It changed nothing, and the next one to hold the lease asks again: nothing to record, or to count.
		a.line(ctx, slog.LevelWarn, "Verification finished after its lease was lost", outcomeFenced, a.receipt, nil)
		return nil
	case err != nil:
		return err
	case inStep:
		a.log(ctx, slog.LevelInfo, "Verified", "verified", a.receipt, nil)
	default:
		a.log(ctx, slog.LevelWarn, "Something landed over the latest push: pushing again", "overwritten", a.receipt, nil)
	}
	return nil
}
