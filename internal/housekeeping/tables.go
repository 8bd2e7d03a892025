package housekeeping

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// table is one whose rows go when they are old.
type table struct {
	name string
	keep time.Duration
	// prune deletes a batch, the oldest rows first. One of which there are many begins at since, and returns where it ended.
	prune func(ctx context.Context, since time.Time) (deleted int64, last time.Time, err error)
}

// tables has the one last of which there is most: a round may end before it does.
func (k *Keeper) tables() []table {
	keep := k.config.Retention
	return []table{
		{"process", keep.Processes, k.pruneProcesses},
		{"operator_action", keep.OperatorLog, k.pruneOperatorLog},
		{"outbox_activity", keep.Activity, k.pruneActivity},
		{"clerk_event", keep.Events, k.pruneEvents},
		{"outbox_delivery", keep.Deliveries, k.pruneDeliveries},
	}
}

func (k *Keeper) pruneProcesses(ctx context.Context, _ time.Time) (deleted int64, _ time.Time, err error) {
	deleted, err = k.queries.ProcessPrune(ctx, k.config.Pool, dbsqlc.ProcessPruneParams{
		Retention: k.config.Retention.Processes, MaxRows: k.config.Batch,
	})
	return deleted, time.Time{}, err
}

func (k *Keeper) pruneOperatorLog(ctx context.Context, _ time.Time) (deleted int64, _ time.Time, err error) {
	deleted, err = k.queries.OperatorActionPrune(ctx, k.config.Pool, dbsqlc.OperatorActionPruneParams{
		Retention: k.config.Retention.OperatorLog, MaxRows: k.config.Batch,
	})
	return deleted, time.Time{}, err
}

func (k *Keeper) pruneActivity(ctx context.Context, _ time.Time) (deleted int64, _ time.Time, err error) {
	deleted, err = k.queries.OutboxActivityPrune(ctx, k.config.Pool, dbsqlc.OutboxActivityPruneParams{
		Topic: k.config.Topic, Retention: k.config.Retention.Activity, MaxRows: k.config.Batch,
	})
	return deleted, time.Time{}, err
}

func (k *Keeper) pruneEvents(ctx context.Context, since time.Time) (deleted int64, last time.Time, err error) {
	pruned, err := k.queries.ClerkEventPrune(ctx, k.config.Pool, dbsqlc.ClerkEventPruneParams{
		Since: since, Retention: k.config.Retention.Events, MaxRows: k.config.Batch,
	})
	return pruned.Deleted, pruned.Last, err
}

func (k *Keeper) pruneDeliveries(ctx context.Context, since time.Time) (deleted int64, last time.Time, err error) {
	pruned, err := k.queries.OutboxDeliveryPrune(ctx, k.config.Pool, dbsqlc.OutboxDeliveryPruneParams{
		Since: since, Retention: k.config.Retention.Deliveries, MaxRows: k.config.Batch,
	})
	return pruned.Deleted, pruned.Last, err
}
