package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Remaining is what became of marks that were made in some span of time.
type Remaining struct {
	Dirty  int64 // keys of which one is still to be delivered
	Parked int64 // keys that have been given up on since it began
}

// Remaining returns how many keys are not delivered yet that were marked from since until by, by the database's clock (see
// Clock): of the keys that are given, or of the whole topic if none are. Its cost grows with the backlog.
func (o *Outbox) Remaining(
	ctx context.Context, conn db.Querier, topic string, since, by time.Time, keys ...string,
) (Remaining, error) {
	row, err := o.queries.OutboxRemaining(ctx, conn, dbsqlc.OutboxRemainingParams{
		Topic: topic, MarkedSince: since, MarkedBy: by, Every: len(keys) == 0, Keys: keys,
	})
	if err != nil {
		return Remaining{}, fmt.Errorf("counting what remains of %s: %w", topic, err)
	}
	return Remaining(row), nil
}
