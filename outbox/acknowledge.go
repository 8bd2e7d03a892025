package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// ErrLeaseLost means that the lease was taken over: the result was not accepted, and the row is another delivery's.
var ErrLeaseLost = errors.New("the lease was lost")

// AcknowledgeTx records in tx that the leased version is synced. If the row was marked meanwhile, it gets its next job
// in the same transaction: the caller completes the present one in tx in either case. Returns how long the oldest change
// took that is synced now, or ErrLeaseLost, with nothing written, if the lease no longer holds.
func (o *Outbox) AcknowledgeTx(
	ctx context.Context, tx pgx.Tx, waker Waker, lease Lease, receipt Receipt, duration time.Duration,
) (lag time.Duration, err error) {
	acknowledged, err := o.queries.OutboxAcknowledge(ctx, tx, dbsqlc.OutboxAcknowledgeParams{
		Topic: lease.Topic, Key: lease.Key, LeaseToken: lease.token, JobID: lease.jobID(),
		Status: receipt.status(), TraceID: receipt.traceID(), Duration: duration, Applied: receipt.Applied,
	})
	if err != nil {
		return 0, lease.wrap("acknowledging", err)
	}
	if acknowledged.StillDirty {
		err = o.wakeTx(ctx, tx, waker, lease.Topic, Priority(acknowledged.Priority), []string{lease.Key})
	}
	return acknowledged.SyncedAt.Sub(lease.DirtySince), err
}

// ParkTx gives up in tx on the leased version, for the failure's reason. A change that was made meanwhile is not given
// up: the row then gets its next job. The caller completes the present job in tx. Returns ErrLeaseLost, with nothing
// written, if the lease no longer holds.
func (o *Outbox) ParkTx(
	ctx context.Context, tx pgx.Tx, waker Waker, lease Lease, failure *Failure, duration time.Duration,
) error {
	parked, err := o.queries.OutboxPark(ctx, tx, dbsqlc.OutboxParkParams{
		Topic: lease.Topic, Key: lease.Key, LeaseToken: lease.token, Version: lease.Version, JobID: lease.jobID(),
		Reason: failure.reason(), Error: failure.message(),
		Status: failure.Receipt.status(), TraceID: failure.Receipt.traceID(), Duration: duration,
	})
	if err != nil {
		return lease.wrap("parking", err)
	}
	if parked.StillDirty {
		return o.wakeTx(ctx, tx, waker, lease.Topic, Priority(parked.Priority), []string{lease.Key})
	}
	return nil
}

// Release gives the lease back after a failure; the row is not claimable for delay, and its job has to stay alive until
// then: the time returned, by the database's clock. Returns ErrLeaseLost, with nothing written, if the lease no longer
// holds.
func (o *Outbox) Release(
	ctx context.Context, conn db.Querier, lease Lease, failure *Failure, delay, duration time.Duration,
) (until time.Time, err error) {
	until, err = o.queries.OutboxRelease(ctx, conn, dbsqlc.OutboxReleaseParams{
		Topic: lease.Topic, Key: lease.Key, LeaseToken: lease.token, Version: lease.Version, JobID: lease.jobID(),
		Delay: delay, Blameless: policyFor(failure.Action).blameless, UnknownKey: failure.Action == Missing, Outcome: failure.outcome(),
		InDoubt: failure.MayLand(), VerifyAfter: verifyAfter,
		Error: failure.message(), Status: failure.Receipt.status(), TraceID: failure.Receipt.traceID(), Duration: duration,
	})
	if err != nil {
		return time.Time{}, lease.wrap("releasing", err)
	}
	return until, nil
}

// wrap names the row in an error, and the lost lease by its sentinel.
func (l Lease) wrap(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrLeaseLost
	}
	return fmt.Errorf("%s outbox row %s/%s version %d: %w", doing, l.Topic, l.Key, l.Version, err)
}
