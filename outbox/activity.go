package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// ActivityInterval is what deliveries are counted by.
	ActivityInterval = 10 * time.Second
	// activityLate is how late a delivery may commit and still be counted.
	activityLate = 2 * time.Minute
)

// Activity is how many deliveries of a topic ended so within an interval.
type Activity struct {
	BeginsAt   time.Time // a multiple of ActivityInterval
	Outcome    string    // as in the delivery log
	Deliveries int
}

// Failed is whether the destination did not do as it was told: nobody's stopping is counted, nor what was read back.
func (a Activity) Failed() bool {
	switch dbsqlc.DeliveryOutcome(a.Outcome) {
	case dbsqlc.DeliveryOutcomeApplied, dbsqlc.DeliveryOutcomeVerified, dbsqlc.DeliveryOutcomeOverwritten,
		dbsqlc.DeliveryOutcomeCanceled:
		return false
	default:
		return true
	}
}

// CountActivity counts the latest deliveries, for Activity. Call it every ActivityInterval or so, by any process: counting
// twice changes nothing. What was delivered since the last count is caught up with, up to a day.
func (o *Outbox) CountActivity(ctx context.Context, conn db.Querier, topic string) error {
	since, err := o.queries.OutboxActivitySince(ctx, conn, dbsqlc.OutboxActivitySinceParams{
		Topic: topic, Interval: ActivityInterval, Late: activityLate,
	})
	if err == nil {
		err = o.queries.OutboxActivityCount(ctx, conn, dbsqlc.OutboxActivityCountParams{
			Topic: topic, Interval: ActivityInterval, Since: since,
		})
	}
	if err != nil {
		return fmt.Errorf("counting the deliveries of %s: %w", topic, err)
	}
	return nil
}

// Activity returns the counts of the past, oldest first; an interval in which nothing ended so is not there. The latest
// ActivityInterval or two are not complete yet.
func (o *Outbox) Activity(ctx context.Context, conn db.Querier, topic string, past time.Duration) ([]Activity, error) {
	rows, err := o.queries.OutboxActivityList(ctx, conn, dbsqlc.OutboxActivityListParams{Topic: topic, Past: past})
	if err != nil {
		return nil, fmt.Errorf("reading how much is delivered of %s: %w", topic, err)
	}
	activity := make([]Activity, len(rows))
	for i, row := range rows {
		activity[i] = Activity{row.BeginsAt, string(row.Outcome), int(row.Deliveries)}
	}
	return activity, nil
}
