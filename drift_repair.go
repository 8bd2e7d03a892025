package claimsync

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// repairBatch is how many organizations one transaction marks: their rows are locked meanwhile.
const repairBatch = 200

// settle hands what differs over to be pushed again, or only says what would be contested.
func (c *driftCheck) settle(ctx context.Context) error {
	drifts := map[string]*Drift{}
	var marked, unmarked []string
	for i := range c.report.Drifts {
		drift := &c.report.Drifts[i]
		switch {
		case len(drift.Differences) == 0:
			continue
		case drift.unmarked:
			unmarked = append(unmarked, drift.ClerkOrgID)
		default:
			marked = append(marked, drift.ClerkOrgID)
		}
		drifts[drift.ClerkOrgID] = drift
	}
	slices.Sort(marked)
	for batch := range slices.Chunk(marked, repairBatch) {
		if err := c.settleMarked(ctx, drifts, batch); err != nil {
			return err
		}
	}
	if !c.options.Repair {
		return nil
	}
	if err := c.markUnmarked(ctx, drifts, unmarked); err != nil {
		return err
	}
	before := len(c.report.Drifts)
	c.report.Drifts = slices.DeleteFunc(c.report.Drifts, func(drift Drift) bool { return drift.superseded })
	c.report.Pending += before - len(c.report.Drifts)
	return nil
}

// settleMarked: reading back decides whether to push, so that a repair which comes too late does no harm. What is not
// synced any more has changed while the check ran.
func (c *driftCheck) settleMarked(ctx context.Context, drifts map[string]*Drift, batch []string) (err error) {
	box, pool := c.sync.outbox, c.sync.jobs.Pool
	var suspicion outbox.Suspicion
	if !c.options.Repair {
		suspicion.Contested, err = box.Contested(ctx, pool, Topic, batch...)
	} else {
		err = db.Transact(ctx, pool, func(tx pgx.Tx) (err error) {
			suspicion, err = box.SuspectTx(ctx, tx, c.waker, Topic, outbox.PriorityBackfill, batch...)
			return err
		})
	}
	if err != nil {
		return err
	}
	for _, key := range suspicion.Contested {
		drifts[key].Contested = true
	}
	for _, key := range suspicion.Suspected {
		drifts[key].Repaired = true
	}
	for _, key := range batch {
		drift := drifts[key]
		drift.superseded = c.options.Repair && !drift.Contested && !drift.Repaired
	}
	return nil
}

// markUnmarked is for what a foreign writer linked. A transaction of its own, since rows are locked sorted.
func (c *driftCheck) markUnmarked(ctx context.Context, drifts map[string]*Drift, keys []string) error {
	for batch := range slices.Chunk(keys, repairBatch) {
		err := db.Transact(ctx, c.sync.jobs.Pool, func(tx pgx.Tx) error {
			return c.sync.outbox.MarkTx(ctx, tx, c.waker, Topic, outbox.PriorityBackfill, batch...)
		})
		if err != nil {
			return err
		}
		for _, key := range batch {
			drifts[key].Repaired = true
		}
	}
	return nil
}
