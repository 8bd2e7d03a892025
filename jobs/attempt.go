package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"go.opentelemetry.io/otel/trace"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// attempt is one delivery, or one verification, and how it ended.
type attempt struct {
	config   *Config
	queue    Waker
	job      *deliveryJob // nil: a probe
	lane     *lane        // nil: the same
	lease    outbox.Lease // before it is claimed: topic and key
	leaseEnd time.Time    // no later than in the database
	span     trace.Span   // of what follows from the claim
	receipt  outbox.Receipt
	failure  *outbox.Failure // nil: none
	duration time.Duration
	canceled bool // the process is stopping and did not wait for the delivery
}

// claim takes the lease of the row, for the job or as a probe. If it is held then, carryOut follows.
func (a *attempt) claim(ctx context.Context) (claim outbox.Claim, err error) {
	ctx = a.begin(ctx)
	a.leaseEnd = time.Now().Add(a.config.Outbox.Lease())
	if a.job != nil {
		claim, err = a.lane.claims.Do(ctx, outbox.ClaimRequest{Key: a.lease.Key, JobID: a.job.ID})
	} else {
		claim, err = a.config.Outbox.ClaimProbe(ctx, a.config.Pool, a.lease.Topic, a.lease.Key)
	}
	if claim.Held() {
		a.lease = claim.Lease
	} else {
		a.notClaimed(claim.Verdict, err)
	}
	return claim, err
}

// carryOut does what was claimed, and returns what River is to do with the job.
func (a *attempt) carryOut(ctx context.Context, verdict outbox.Verdict, destination outbox.Destination) error {
	ctx = a.resume(ctx, verdict)
	defer a.span.End()
	err := a.deliverOrVerify(ctx, verdict, destination)
	if err != nil && !errors.As(err, new(*river.JobSnoozeError)) {
		a.failSpan(err)
	}
	return err
}

func (a *attempt) deliverOrVerify(ctx context.Context, verdict outbox.Verdict, destination outbox.Destination) error {
	if verdict == outbox.Unverified {
		return a.verify(ctx, destination)
	}
	return a.deliver(ctx, destination)
}

func (a *attempt) deliver(ctx context.Context, destination outbox.Destination) error {
	var err error
	a.call(ctx, func(ctx context.Context) {
		a.receipt, err = destination.Deliver(ctx, a.lease.Key, a.lease.Version)
	})
	return a.record(ctx, func(ctx context.Context) error { return a.settle(ctx, err) })
}

func (a *attempt) verify(ctx context.Context, destination outbox.Destination) error {
	var err error
	var inStep bool
	a.call(ctx, func(ctx context.Context) {
		inStep, a.receipt, err = destination.Verify(ctx, a.lease.Key, a.lease.Version)
	})
	return a.record(ctx, func(ctx context.Context) error { return a.settleVerification(ctx, inStep, err) })
}

// call calls the destination under the deadline of a delivery.
func (a *attempt) call(ctx context.Context, fn func(context.Context)) {
	started, ended := time.Now(), func(bool) {}
	if a.lane != nil {
		ended = a.lane.silence.begin()
	}
	callCtx, cancel := context.WithTimeout(ctx, a.config.DeliveryTimeout)
	defer cancel()
	fn(callCtx)
	ended(a.receipt.Status != 0)
	a.duration, a.canceled = time.Since(started), ctx.Err() != nil
}

// record settles the attempt: what was learned is recorded also when the process is told to stop. A transaction that
// holds the row and does not end is waited for as long as the lease holds, since a result that is not recorded by then
// is a push to be made again. It is tried twice, because a process that was stopped in between has used up its time
// without having had it.
func (a *attempt) record(ctx context.Context, settle func(context.Context) error) error {
	ctx = context.WithoutCancel(ctx)
	try := func(timeout time.Duration) (expired bool, err error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err = settle(ctx)
		return ctx.Err() != nil, err
	}
	expired, err := try(max(time.Until(a.leaseEnd), settleTimeout))
	if expired && errors.Is(err, context.DeadlineExceeded) {
		_, err = try(settleTimeout)
	}
	return err
}

// transact runs fn in a transaction together with the completion of the job.
func (a *attempt) transact(ctx context.Context, fn func(pgx.Tx) error) error {
	return db.Transact(ctx, a.config.Pool, func(tx pgx.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if a.job == nil { // a probe
			return nil
		}
		return a.config.Outbox.CompleteJobTx(ctx, tx, a.job.ID)
	})
}
