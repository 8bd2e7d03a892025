package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Remaining is what became of marks that were made by some instant.
type Remaining struct {
	Dirty  int64 // keys of which one is still to be delivered
	Parked int64 // keys that have been given up on since
}

// Remaining returns how many keys are not delivered yet that had been marked by then, by the database's clock (see Clock):
// of the keys that are given, or of the whole topic if none are. Its cost grows with the backlog.
func (o *Outbox) Remaining(
	ctx context.Context, conn dbsqlc.DBTX, topic string, markedBy time.Time, keys ...string,
) (Remaining, error) {
	row, err := o.queries.OutboxRemaining(ctx, conn, dbsqlc.OutboxRemainingParams{
		Topic: topic, MarkedBy: markedBy, Every: len(keys) == 0, Keys: keys,
	})
	if err != nil {
		return Remaining{}, fmt.Errorf("counting what remains of %s: %w", topic, err)
	}
	return Remaining(row), nil
}
