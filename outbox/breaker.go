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

// Cause is why the breaker is open.
type Cause string

// The causes.
const (
	CauseOutage        Cause = "outage"        // the destination fails or does not answer
	CauseConfiguration Cause = "configuration" // it refuses us whatever we send
	CauseOperator      Cause = "operator"      // a person opened it, and a person has to close it
)

const (
	// outageKeys is how many different keys have to fail, with no success in between, until it is an outage: one or two
	// may have a fault of their own.
	outageKeys = 3
	// missingKeys is the same for keys that the destination does not know, until it is that we ask the wrong one. More,
	// because a batch of keys that have gone is nothing unusual.
	missingKeys = 10
)

// QueuePauser pauses the queue of a topic's jobs.
type QueuePauser interface {
	// PauseTx pauses the topic's queue in tx, unless it is already. Returns what the queue says of the pause that was
	// made; nil: none was.
	PauseTx(ctx context.Context, tx pgx.Tx, topic string) (pausedAt *time.Time, err error)
	// ResumeTx resumes the queue in tx, if its pause is the given one.
	ResumeTx(ctx context.Context, tx pgx.Tx, topic string, pausedAt time.Time) error
}

// Change is one of the breaker's, for the log of the process that made it.
type Change struct {
	Opened bool // else closed
	Cause  Cause
	Reason string        // of an opening
	Lasted time.Duration // of a closing: how long it was open
}

// Blame notes that a delivery failed in a way that may speak against the destination and not only against its key, and
// opens the breaker once it does. Returns the change, nil if there was none, and the failure as it is to be treated: where
// the configuration is at fault, no key is to blame.
func (o *Outbox) Blame(
	ctx context.Context, conn Conn, queue QueuePauser, topic, key string, failure *Failure,
) (*Change, *Failure, error) {
	suspicion := suspicionOf(failure)
	switch suspicion {
	case unsuspicious:
		return nil, failure, nil
	case misconfigured:
		change, err := o.open(ctx, conn, queue, topic, CauseConfiguration, failure.Error())
		return change, failure, err
	}
	counts, err := o.queries.DestinationBlame(ctx, conn, dbsqlc.DestinationBlameParams{
		Topic: topic, Key: key, Missing: suspicion == unknownKey, Most: max(outageKeys, missingKeys),
	})
	switch {
	case err != nil:
		return nil, failure, fmt.Errorf("noting a failure of %s: %w", topic, err)
	case suspicion == failing && counts.Failing >= outageKeys:
		change, err := o.open(ctx, conn, queue, topic, CauseOutage, failure.Error())
		return change, failure, err
	case suspicion == unknownKey && counts.Misconfigured:
		return nil, blameless(failure), nil
	case suspicion == unknownKey && counts.Missing >= missingKeys:
		reason := fmt.Sprintf("%d different keys in a row are not known there: %s", counts.Missing, failure.Error())
		change, err := o.open(ctx, conn, queue, topic, CauseConfiguration, reason)
		return change, blameless(failure), err
	}
	return nil, failure, nil
}

// blameless is for a key that is not known to a destination which seems to be the wrong one.
func blameless(failure *Failure) *Failure {
	stop := *failure
	stop.Action = Stop
	return &stop
}

// Open opens the breaker for a person: it stays open until Close. Returns nil if a person had opened it already.
func (o *Outbox) Open(ctx context.Context, conn Conn, queue QueuePauser, topic, reason string) (*Change, error) {
	return o.open(ctx, conn, queue, topic, CauseOperator, reason)
}

func (o *Outbox) open(
	ctx context.Context, conn Conn, queue QueuePauser, topic string, cause Cause, reason string,
) (change *Change, err error) {
	reason = truncate(reason)
	var forgiven []string
	err = db.Transact(ctx, conn, func(tx pgx.Tx) error {
		change, forgiven = nil, nil
		opened, err := o.queries.DestinationOpen(ctx, tx, dbsqlc.DestinationOpenParams{
			Topic: topic, Cause: new(dbsqlc.BreakerCause(cause)), Reason: reason, Pause: probeFirst,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		change = &Change{Opened: true, Cause: cause, Reason: reason}
		if cause == CauseConfiguration {
			forgiven = opened.MissingKeys
		}
		if opened.QueuePausedAt != nil {
			return nil // by an earlier cause
		}
		pausedAt, err := queue.PauseTx(ctx, tx, topic)
		if err != nil || pausedAt == nil {
			return err
		}
		return o.queries.DestinationQueuePaused(ctx, tx, dbsqlc.DestinationQueuePausedParams{Topic: topic, QueuePausedAt: pausedAt})
	})
	if err == nil && len(forgiven) > 0 {
		// Not in the same transaction: rows are locked before their destination.
		err = o.queries.OutboxForgive(ctx, conn, dbsqlc.OutboxForgiveParams{Topic: topic, Keys: forgiven})
	}
	if err != nil {
		return change, fmt.Errorf("opening the breaker of %s: %w", topic, err)
	}
	return change, nil
}

// Acquit closes the breaker after a probe whose outcome, nil being success, shows that the destination works again. One
// that a person opened stays open. Returns nil if nothing changed.
func (o *Outbox) Acquit(
	ctx context.Context, conn Conn, queue QueuePauser, topic string, outcome *Failure,
) (*Change, error) {
	causes := disprovedBy(outcome)
	if len(causes) == 0 {
		return nil, nil
	}
	return o.close(ctx, conn, queue, topic, causes)
}

// disprovedBy: a destination that says something of the key works. Only if it does not know the key, it may still be the
// wrong one.
func disprovedBy(outcome *Failure) []Cause {
	switch {
	case outcome == nil:
		return []Cause{CauseOutage, CauseConfiguration}
	case outcome.Receipt.Status == 0:
		return nil
	case outcome.Action == Retry, outcome.Action == Park:
		return []Cause{CauseOutage, CauseConfiguration}
	case outcome.Action == Missing:
		return []Cause{CauseOutage}
	default:
		return nil
	}
}

// Close closes the breaker for a person, whatever opened it, and ends a block: the destination may be called now.
// Returns nil if it was closed.
func (o *Outbox) Close(ctx context.Context, conn Conn, queue QueuePauser, topic string) (*Change, error) {
	if _, err := o.queries.DestinationUnblock(ctx, conn, topic); err != nil {
		return nil, fmt.Errorf("unblocking destination %s: %w", topic, err)
	}
	return o.close(ctx, conn, queue, topic, []Cause{CauseOutage, CauseConfiguration, CauseOperator})
}

func (o *Outbox) close(
	ctx context.Context, conn Conn, queue QueuePauser, topic string, causes []Cause,
) (change *Change, err error) {
	over := make([]string, len(causes))
	for i, cause := range causes {
		over[i] = string(cause)
	}
	err = db.Transact(ctx, conn, func(tx pgx.Tx) error {
		change = nil
		closed, err := o.queries.DestinationClose(ctx, tx, dbsqlc.DestinationCloseParams{Topic: topic, Causes: over})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		change = &Change{Cause: Cause(closed.Cause), Lasted: closed.Lasted}
		if closed.QueuePausedAt == nil {
			return nil
		}
		restored := dbsqlc.QueueRestoreParams{Topic: topic, PausedAt: *closed.QueuePausedAt}
		if err := o.queries.QueueRestore(ctx, o.river.in(tx), restored); err != nil {
			return err
		}
		return queue.ResumeTx(ctx, tx, topic, *closed.QueuePausedAt)
	})
	if err != nil {
		return nil, fmt.Errorf("closing the breaker of %s: %w", topic, err)
	}
	return change, nil
}
