package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Block keeps the whole fleet from calling the destination for delay. It never shortens a block.
func (o *Outbox) Block(ctx context.Context, conn dbsqlc.DBTX, topic string, delay time.Duration, reason string) error {
	params := dbsqlc.DestinationBlockParams{Topic: topic, Delay: delay, Reason: truncate(reason)}
	if err := o.queries.DestinationBlock(ctx, conn, params); err != nil {
		return fmt.Errorf("blocking destination %s: %w", topic, err)
	}
	return nil
}

// Hold is a destination that is left alone for a time.
type Hold struct {
	Until  time.Time
	Reason string
}

// Blocked returns the hold on the destination; false if it may be called.
func (o *Outbox) Blocked(ctx context.Context, conn dbsqlc.DBTX, topic string) (Hold, bool, error) {
	row, err := o.queries.DestinationBlocked(ctx, conn, topic)
	if errors.Is(err, pgx.ErrNoRows) {
		return Hold{}, false, nil
	}
	if err != nil {
		return Hold{}, false, fmt.Errorf("reading destination %s: %w", topic, err)
	}
	return Hold{Until: row.BlockedUntil, Reason: row.BlockedReason}, true, nil
}
