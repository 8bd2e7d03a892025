package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// A push whose fate is unknown can land at the destination after a newer one, and nothing there refuses it. So once its
// key is synced, the destination is read back: 10 s after the doubt arose, then after three times as long each, about
// 30 s, 90 s and 5 min. The guarantee rests on a request not being applied later than that.
const (
	verifyAfter = 10 * time.Second
	// verifyLastAfter makes a verification the last one: that after about 5 min, and no earlier one.
	verifyLastAfter = 4 * time.Minute
)

// VerifyTx ends in tx the verification that the lease was claimed for. If the destination was not in step, the key is
// marked, so that what is current is pushed over what has landed. The caller completes the present job in tx. Returns
// ErrLeaseLost, with nothing written, if the lease no longer holds.
func (o *Outbox) VerifyTx(
	ctx context.Context, tx pgx.Tx, waker Waker, lease Lease, inStep bool, receipt Receipt, duration time.Duration,
) error {
	verified, err := o.queries.OutboxVerify(ctx, tx, dbsqlc.OutboxVerifyParams{
		Topic: lease.Topic, Key: lease.Key, LeaseToken: lease.token, Version: lease.Version, JobID: lease.jobID(),
		InStep: inStep, VerifyAfter: verifyAfter, LastAfter: verifyLastAfter,
		Status: receipt.status(), TraceID: receipt.traceID(), Duration: duration,
	})
	if err != nil {
		return lease.wrap("verifying", err)
	}
	if verified.StillDirty {
		return o.wakeTx(ctx, tx, waker, lease.Topic, Priority(verified.Priority), []string{lease.Key})
	}
	return nil
}

// RecordFenced notes in the delivery log that the holder of a lost lease finished after all, and that its result was
// not accepted. If it was a push that was applied (failure is nil) or may be, it may have landed over a newer one: the
// key is verified soon.
func (o *Outbox) RecordFenced(
	ctx context.Context, conn db.Querier, lease Lease, receipt Receipt, failure *Failure, duration time.Duration,
) error {
	params := dbsqlc.OutboxRecordFencedParams{
		Topic: lease.Topic, Key: lease.Key, Version: lease.Version, JobID: lease.jobID(),
		InDoubt: failure == nil || failure.MayLand(),
		Status:  receipt.status(), TraceID: receipt.traceID(), Duration: duration,
	}
	if failure != nil {
		params.Error = failure.message()
	}
	if err := o.queries.OutboxRecordFenced(ctx, conn, params); err != nil {
		return lease.wrap("recording the fenced delivery of", err)
	}
	return nil
}
