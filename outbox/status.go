package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// State is where a row stands, for people.
type State string

// The states of a row. A key that was never marked has none.
const (
	StateClean  State = "clean"  // the destination equals the latest committed state
	StateDirty  State = "dirty"  // a change is on its way
	StateParked State = "parked" // a change was given up on
)

// Status is one row, for people.
type Status struct {
	State          State
	DesiredVersion int64
	SyncedVersion  int64
	DirtySince     *time.Time
	SyncedAt       *time.Time
	LastError      *string
	ParkedReason   *string
}

// Detail is one row with what may keep it from being delivered, for people.
type Detail struct {
	Status
	ParkedAt   *time.Time
	Failures   int        // failed deliveries since the last success
	JobID      *int64     // the River job that is to deliver it; nil: none is
	LeasedAt   *time.Time // since when it is being delivered, or read back; nil: it is not
	LeaseEnds  *time.Time // when another worker may take it over; set with LeasedAt
	NotBefore  *time.Time // when it may be tried again after a failure
	PacedUntil *time.Time // when its own budget admits the next delivery
	DoubtedAt  *time.Time // when a push was given up on that may still land; nil: none
	VerifyAt   *time.Time // when the destination is to be read back for it; set with DoubtedAt

	Applied json.RawMessage // the Receipt.Applied of the latest delivery that was confirmed; nil: none, or not told
}

// Backlog is what a topic still has to deliver.
type Backlog struct {
	Dirty          int64
	Parked         int64
	OldestDirtyAge time.Duration // 0: nothing is dirty
	OldestPriority Priority      // of the oldest; 0: nothing is dirty
}

// Status returns where a row stands; false if the key was never marked.
func (o *Outbox) Status(ctx context.Context, conn db.Querier, topic, key string) (Status, bool, error) {
	detail, found, err := o.Detail(ctx, conn, topic, key)
	return detail.Status, found, err
}

// Detail returns everything that is known of a row; false if the key was never marked.
func (o *Outbox) Detail(ctx context.Context, conn db.Querier, topic, key string) (Detail, bool, error) {
	row, err := o.queries.OutboxGet(ctx, conn, dbsqlc.OutboxGetParams{Topic: topic, Key: key})
	if errors.Is(err, pgx.ErrNoRows) {
		return Detail{}, false, nil
	}
	if err != nil {
		return Detail{}, false, fmt.Errorf("reading outbox row %s/%s: %w", topic, key, err)
	}
	detail := Detail{
		Status: statusOf(row), ParkedAt: row.ParkedAt, Failures: int(row.Failures), JobID: row.JobID,
		LeasedAt: row.LeasedAt, LeaseEnds: row.LeaseExpiresAt, NotBefore: row.NotBefore,
		DoubtedAt: row.DoubtedAt, VerifyAt: row.VerifyAt, Applied: row.Applied,
	}
	if row.Tat != nil {
		_, burst := o.budgets[topic].keySpacing()
		detail.PacedUntil = new(row.Tat.Add(-burst)) // as in OutboxClaim
	}
	return detail, true, nil
}

// Clock returns the database's time, by which everything here is measured.
func (o *Outbox) Clock(ctx context.Context, conn db.Querier) (time.Time, error) {
	now, err := o.queries.OutboxClock(ctx, conn)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the database's clock: %w", err)
	}
	return now, nil
}

func statusOf(row dbsqlc.Outbox) Status {
	return Status{
		State:          StateOf(row.DirtySince, row.ParkedAt),
		DesiredVersion: row.DesiredVersion,
		SyncedVersion:  row.SyncedVersion,
		DirtySince:     row.DirtySince,
		SyncedAt:       row.SyncedAt,
		LastError:      row.LastError,
		ParkedReason:   row.ParkedReason,
	}
}

// StateOf returns where a row stands that was dirty since then, and parked then.
func StateOf(dirtySince, parkedAt *time.Time) State {
	switch {
	case parkedAt != nil:
		return StateParked
	case dirtySince != nil:
		return StateDirty
	default:
		return StateClean
	}
}

// Backlog counts what the topic still has to deliver, but no further than most rows of a kind. Its cost grows with what
// it counts, not with the table.
func (o *Outbox) Backlog(ctx context.Context, conn db.Querier, topic string, most int32) (Backlog, error) {
	row, err := o.queries.OutboxBacklog(ctx, conn, dbsqlc.OutboxBacklogParams{Topic: topic, Most: most})
	if err != nil {
		return Backlog{}, fmt.Errorf("counting the backlog of %s: %w", topic, err)
	}
	return Backlog{
		Dirty: row.Dirty, Parked: row.Parked, OldestDirtyAge: row.OldestDirtyAge, OldestPriority: Priority(row.OldestPriority),
	}, nil
}
