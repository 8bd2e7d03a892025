package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Delivery is a line of the delivery log: an attempt to deliver, or to read back, and how it ended.
type Delivery struct {
	ID         int64
	Topic      string
	Key        string
	Version    int64
	JobID      *int64 // nil: a probe
	Outcome    string // "applied", an Action, or another word of docs/decisions.md
	Status     *int16 // the Receipt's; nil: no answer
	TraceID    *string
	Error      *string
	Duration   time.Duration
	FinishedAt time.Time
}

// Deliveries returns the key's deliveries, newest first: at most limit, after the one with the ID before; 0: the newest.
func (o *Outbox) Deliveries(
	ctx context.Context, conn db.Querier, topic, key string, before int64, limit int32,
) ([]Delivery, error) {
	rows, err := o.queries.OutboxDeliveryList(ctx, conn, dbsqlc.OutboxDeliveryListParams{
		Topic: topic, Key: key, BeforeID: before, MaxRows: limit,
	})
	if err != nil {
		return nil, fmt.Errorf("listing deliveries of %s/%s: %w", topic, key, err)
	}
	deliveries := make([]Delivery, len(rows))
	for i, row := range rows {
		deliveries[i] = Delivery{
			row.ID, row.Topic, row.Key, row.Version, row.JobID, string(row.Outcome), row.Status, row.TraceID, row.Error,
			row.Duration, row.FinishedAt,
		}
	}
	return deliveries, nil
}
