package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// A key is contested once it had to be overwritten so often in so long: most likely another writer disagrees, who wins
// or loses by being last. That is for people to settle.
const (
	contestLimit  = 3
	contestWindow = 24 * time.Hour
)

// Suspicion is what became of keys that were said to differ at the destination.
type Suspicion struct {
	Suspected []string // to be read back now, and pushed over if it is so
	Contested []string // overwritten too often lately to go on: nothing was done
}

// SuspectTx is for keys of which somebody saw, from outside, that the destination is not as it should be. In tx it has each
// read back, once tx commits, and pushed again if it is still so; one that is at work, after that. A key that waits to be
// pushed, is parked or was never marked is left out: what is seen of it says nothing. As MarkTx, it locks the rows, sorted,
// until tx ends.
func (o *Outbox) SuspectTx(
	ctx context.Context, tx pgx.Tx, waker Waker, topic string, priority Priority, keys ...string,
) (Suspicion, error) {
	rows, err := o.queries.OutboxSuspect(ctx, tx, dbsqlc.OutboxSuspectParams{
		Topic: topic, Keys: keys, Priority: int16(priority), LastAfter: verifyLastAfter,
		ContestLimit: contestLimit, ContestWindow: contestWindow,
	})
	if err != nil {
		return Suspicion{}, fmt.Errorf("suspecting %d outbox rows of %s: %w", len(keys), topic, err)
	}
	var suspicion Suspicion
	var asleep []string
	for _, row := range rows {
		if row.Contested {
			suspicion.Contested = append(suspicion.Contested, row.Key)
			continue
		}
		suspicion.Suspected = append(suspicion.Suspected, row.Key)
		if row.NeedsJob {
			asleep = append(asleep, row.Key)
		}
	}
	return suspicion, o.wakeTx(ctx, tx, waker, topic, priority, asleep)
}

// Contested returns those of the keys that SuspectTx would not have read back again today, sorted.
func (o *Outbox) Contested(ctx context.Context, conn db.Querier, topic string, keys ...string) ([]string, error) {
	contested, err := o.queries.OutboxContested(ctx, conn, dbsqlc.OutboxContestedParams{
		Topic: topic, Keys: keys, ContestLimit: contestLimit, ContestWindow: contestWindow,
	})
	if err != nil {
		return nil, fmt.Errorf("asking which of %d keys of %s are contested: %w", len(keys), topic, err)
	}
	return contested, nil
}
