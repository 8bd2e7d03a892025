package triggers

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// waitingAtMost is how far the queue is looked at.
const waitingAtMost = 10_000

// Queue says what the triggers have noticed and nobody has taken yet. Where some process runs Sync.Run that waits for a
// second or so.
type Queue struct {
	Waiting int64         // changes, counted up to 10,000
	Oldest  time.Duration // for how long the oldest of the first 10,000 of either kind has waited
}

// ReadQueue looks at the queue, which takes the longer the more is in it.
func ReadQueue(ctx context.Context, conn db.Querier) (Queue, error) {
	waiting, err := dbsqlc.New().OrganizationChangesWaiting(ctx, conn, waitingAtMost)
	if err != nil {
		return Queue{}, fmt.Errorf("looking at the queue of changes: %w", err)
	}
	return Queue{Waiting: waiting.Changes, Oldest: max(0, waiting.Oldest)}, nil
}
