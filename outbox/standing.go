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

// Standing is how a destination stands with the fleet.
type Standing struct {
	Blocked *Block   // nil: nobody was told to wait
	Breaker *Breaker // nil: closed
	// Rate is how much of the budget is used, 0 to 1: less after others have used what we counted on.
	Rate float64
}

// Block is what the destination told everybody: to wait.
type Block struct {
	Until  time.Time
	Reason string
}

// Breaker is one that is open.
type Breaker struct {
	Cause  Cause
	Reason string
	Since  time.Time
	// NextProbe is when the destination is to be tried next; nil: not before a person closes the breaker.
	NextProbe *time.Time
	Probes    int // so far
	// QueuePausedAt is what the queue of the topic's jobs said of the pause that the breaker made. Any other pause is
	// somebody else's, and if it is nil every one.
	QueuePausedAt *time.Time
}

// Standing returns how the destination stands with the fleet.
func (o *Outbox) Standing(ctx context.Context, conn db.Querier, topic string) (Standing, error) {
	row, err := o.queries.DestinationGet(ctx, conn, dbsqlc.DestinationGetParams{Topic: topic, Creep: rateCreep})
	if errors.Is(err, pgx.ErrNoRows) {
		return Standing{Rate: 1}, nil
	}
	if err != nil {
		return Standing{}, fmt.Errorf("reading destination %s: %w", topic, err)
	}
	standing := Standing{Rate: row.RateFactor}
	if row.BlockedUntil != nil && row.BlockedUntil.After(row.Now) {
		standing.Blocked = &Block{Until: *row.BlockedUntil, Reason: *row.BlockedReason}
	}
	if row.OpenedAt != nil {
		standing.Breaker = breakerOf(row)
	}
	return standing, nil
}

func breakerOf(row dbsqlc.DestinationGetRow) *Breaker {
	breaker := &Breaker{
		Cause: Cause(*row.OpenCause), Reason: *row.OpenReason, Since: *row.OpenedAt,
		Probes: int(row.Probes), QueuePausedAt: row.QueuePausedAt,
	}
	if breaker.Cause != CauseOperator {
		breaker.NextProbe = row.ProbeAt
	}
	return breaker
}
