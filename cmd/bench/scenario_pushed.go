package main

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// pushed is a backlog of changes that one process pushes, with no limit to keep to.
type pushed struct {
	organizations int
}

func (s pushed) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, clerk: clerktest.WithoutLimits(),
		environment: withoutBudget,
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if _, err := s.round(ctx, f); err != nil { // the rows are there then, as they are ever after
			return nil, err
		}
		return s.round(ctx, f)
	})
}

// round changes every organization, one after the other, and then starts a process that pushes them.
func (s pushed) round(ctx context.Context, f *fleet) ([]bound, error) {
	if err := f.exec(ctx, "CHECKPOINT"); err != nil {
		return nil, err
	}
	before, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range f.keys {
		if err := f.change(ctx, key); err != nil {
			return nil, err
		}
	}
	changed, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	first := len(f.calls())
	if err := f.startMore(ctx, 1); err != nil {
		return nil, err
	}
	if _, err := until(ctx, time.Now(), 5*time.Minute, f.inStepAndClean); err != nil {
		return nil, err
	}
	drained, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	_, most := memory(f.processes[0].PID())
	pushes := f.calls()[first:].pushes()
	perLog, err := query[float64](ctx, f, `SELECT pg_total_relation_size('outbox_delivery')::float8 / count(*) FROM outbox_delivery`)
	if err != nil {
		return nil, err
	}
	perJob, err := query[float64](ctx, f, `SELECT pg_total_relation_size('river.river_job')::float8 / count(*) FROM river.river_job`)
	if err != nil {
		return nil, err
	}
	change, push, n := changed.since(before), drained.since(changed), float64(len(pushes))
	return []bound{
		{what: "changes per second, by one writer", seen: float64(len(f.keys)) / changed.at.Sub(before.at).Seconds()},
		{what: "bytes of WAL per change", seen: change.wal / float64(len(f.keys))},
		{what: "pushes per second, by one process of 32 workers", seen: n / pushes.span().Seconds()},
		{what: "bytes of WAL per push", seen: push.wal / n},
		{what: "transactions per push", seen: push.transactions / n},
		{what: "processor time per push, of the process", seen: push.cpu / n, unit: seconds},
		{what: "memory at most, of the process", seen: most, unit: megabytes},
		{what: "bytes per row of the delivery log, with its indexes", seen: perLog},
		{what: "bytes per completed job, with its indexes", seen: perJob},
	}, f.stop()
}
