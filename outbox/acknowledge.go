package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// ErrLeaseLost means that the lease was taken over: the result was not accepted, and the row is another delivery's.
var ErrLeaseLost = errors.New("the lease was lost")

// Acknowledgement is of a push that was applied: under which lease, what was learned of it, how long it took.
type Acknowledgement struct {
	Lease    Lease
	Receipt  Receipt
	Duration time.Duration
}

// AcknowledgeTx records in tx that the leased version is synced, and completes the job that it was claimed for. If the row
// was marked meanwhile, it gets its next job in the same transaction. Returns how long the oldest change took that is synced
// now, or ErrLeaseLost, with nothing written, if the lease no longer holds.
func (o *Outbox) AcknowledgeTx(
	ctx context.Context, tx pgx.Tx, waker Waker, acknowledgement Acknowledgement,
) (lag time.Duration, err error) {
	lease := acknowledgement.Lease
	batch := &pgx.Batch{}
	batch.Queue(dbsqlc.OutboxLock, lease.Topic, lease.Key)
	found := o.queueAcknowledgements(batch, lease.Topic, []Acknowledgement{acknowledgement}, true)
	err = tx.SendBatch(ctx, batch).Close()
	acknowledged := found[lease.token]
	switch {
	case err != nil:
		return 0, lease.wrap("acknowledging", err)
	case acknowledged == nil:
		return 0, lease.wrap("acknowledging", ErrLeaseLost)
	case acknowledged.StillDirty:
		err = o.wakeTx(ctx, tx, waker, lease.Topic, Priority(acknowledged.Priority), []string{lease.Key})
	}
	return acknowledged.SyncedAt.Sub(lease.DirtySince), err
}

// AcknowledgeEach is AcknowledgeTx for several leases of a topic at once, in a transaction of its own, but waits for no row,
// and leaves those alone that were marked meanwhile. Of these, and where a lease is lost, the lag is nil: then AcknowledgeTx
// has to see to it.
func (o *Outbox) AcknowledgeEach(
	ctx context.Context, conn Batcher, topic string, acknowledgements []Acknowledgement,
) (lags []*time.Duration, err error) {
	batch := &pgx.Batch{}
	quickly(batch)
	found := o.queueAcknowledgements(batch, topic, acknowledgements, false)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("acknowledging %d outbox rows of %s: %w", len(acknowledgements), topic, err)
	}
	lags = make([]*time.Duration, len(acknowledgements))
	for i, one := range acknowledgements {
		if row := found[one.Lease.token]; row != nil {
			lags[i] = new(row.SyncedAt.Sub(one.Lease.DirtySince))
		}
	}
	return lags, nil
}

// queueAcknowledgements queues the acknowledgement of rows that are not locked; those that are marked meanwhile, too, or
// not. It returns where the rows will be, by their leases' tokens.
func (o *Outbox) queueAcknowledgements(
	batch *pgx.Batch, topic string, acknowledgements []Acknowledgement, markedToo bool,
) map[uuid.UUID]*dbsqlc.OutboxAcknowledgeRow {
	n := len(acknowledgements)
	keys, tokens, jobs := make([]string, n), make([]uuid.UUID, n), make([]*int64, n)
	states, statuses, traces, durations := make([]*string, n), make([]*int16, n), make([]*string, n), make([]time.Duration, n)
	for i, one := range acknowledgements {
		keys[i], tokens[i], jobs[i] = one.Lease.Key, one.Lease.token, one.Lease.jobID()
		states[i], statuses[i], traces[i] = one.Receipt.applied(), one.Receipt.status(), one.Receipt.traceID()
		durations[i] = one.Duration
	}
	found := make(map[uuid.UUID]*dbsqlc.OutboxAcknowledgeRow, n)
	batch.Queue(o.river.rewrite(dbsqlc.OutboxAcknowledge),
		keys, tokens, jobs, states, statuses, traces, durations, topic, markedToo,
	).Query(func(rows pgx.Rows) error {
		acknowledged, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[dbsqlc.OutboxAcknowledgeRow])
		for _, row := range acknowledged {
			found[row.Token] = row
		}
		return err
	})
	return found
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

// CompleteJobTx completes in tx a job that is at work. One that is not, as it was deleted or finished by hand, stays as it is.
func (o *Outbox) CompleteJobTx(ctx context.Context, tx pgx.Tx, id int64) error {
	if err := o.queries.JobComplete(ctx, o.river.in(tx), id); err != nil {
		return fmt.Errorf("completing job %d: %w", id, err)
	}
	return nil
}

// wrap names the row in an error, and the lost lease by its sentinel.
func (l Lease) wrap(doing string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrLeaseLost
	}
	return fmt.Errorf("%s outbox row %s/%s version %d: %w", doing, l.Topic, l.Key, l.Version, err)
}
