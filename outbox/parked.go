package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// ParkedReason is why keys were given up on, and how many.
type ParkedReason struct {
	Reason       string // as in Status.ParkedReason
	Rows         int64
	LastParkedAt time.Time
}

// ParkedReasons counts the topic's parked keys by reason, the most frequent first, but no further than most keys of each. Its
// cost grows with what it counts.
func (o *Outbox) ParkedReasons(ctx context.Context, conn db.Querier, topic string, most int32) ([]ParkedReason, error) {
	rows, err := o.queries.OutboxParkedReasons(ctx, conn, dbsqlc.OutboxParkedReasonsParams{Topic: topic, Most: most})
	if err != nil {
		return nil, fmt.Errorf("counting what is parked of %s: %w", topic, err)
	}
	reasons := make([]ParkedReason, len(rows))
	for i, row := range rows {
		reasons[i] = ParkedReason(row)
	}
	return reasons, nil
}

// ParkedKey is a key that was given up on.
type ParkedKey struct {
	Key      string
	ParkedAt time.Time
}

// ParkedQuery asks for a page of the parked keys, in the order in which they were parked.
type ParkedQuery struct {
	Reason string    // only those parked for it; "": all
	After  ParkedKey // the last of the page before; zero: from the first
	Until  time.Time // none that was parked later: what parks again while it is walked over does not come twice
	Limit  int32
}

// ParkedKeys returns a page of the topic's parked keys.
func (o *Outbox) ParkedKeys(ctx context.Context, conn db.Querier, topic string, query ParkedQuery) ([]ParkedKey, error) {
	rows, err := o.queries.OutboxParkedList(ctx, conn, dbsqlc.OutboxParkedListParams{
		Topic: topic, Reason: query.Reason, AfterParkedAt: query.After.ParkedAt, AfterKey: query.After.Key,
		Until: query.Until, MaxRows: query.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("listing what is parked of %s: %w", topic, err)
	}
	keys := make([]ParkedKey, len(rows))
	for i, row := range rows {
		keys[i] = ParkedKey(row)
	}
	return keys, nil
}

// RedriveTx marks in tx those of the keys that are parked, so that they are delivered again once it commits, and returns
// them sorted. The others stay as they are. Many keys are better redriven at PriorityBackfill: the changes that are made
// meanwhile go first. As MarkTx, it locks the rows, sorted, until tx ends.
func (o *Outbox) RedriveTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys ...string,
) (redriven []string, err error) {
	redriven, err = o.queries.OutboxParkedLock(ctx, tx, dbsqlc.OutboxParkedLockParams{Topic: topic, Keys: keys})
	if err != nil {
		return nil, fmt.Errorf("locking %d outbox rows of %s: %w", len(keys), topic, err)
	}
	if len(redriven) == 0 {
		return nil, nil
	}
	return redriven, o.MarkTx(ctx, tx, waker, topic, priority, redriven...)
}
