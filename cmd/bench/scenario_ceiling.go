package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/internal/plainjobs"
	"github.com/claimsync/claimsync/jobs"
)

// asOursFetch is how soon after a fetch our queues fetch again.
const asOursFetch = 10 * time.Millisecond

// ceiling is how fast a backlog is pushed to a Clerk that answers at once and has no limits.
type ceiling struct {
	organizations int
	rounds        int
	promise       func(ratio float64) float64
}

func (s ceiling) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerktest.WithoutLimits(), environment: withoutBudget}
	return b.withFleet(ctx, config, func(f *fleet) (bounds []bound, err error) {
		f.clerk.ClearFaults()
		for _, n := range []int{1, 2} {
			outbox, plain, eager := measured{}, measured{}, measured{}
			for round := range s.rounds + 1 { // the first warms up
				ours, err := s.byProcesses(ctx, f, n)
				if err != nil {
					return nil, err
				}
				theirs, err := s.byPlainJobs(ctx, f, n, plainjobs.Config{Workers: jobs.DefaultMaxWorkers})
				if err != nil {
					return nil, err
				}
				faster, err := s.byPlainJobs(ctx, f, n, plainjobs.Config{Workers: jobs.DefaultMaxWorkers, FetchCooldown: asOursFetch})
				if err != nil {
					return nil, err
				}
				if round > 0 {
					outbox.rates, plain.rates, eager.rates = append(outbox.rates, ours), append(plain.rates, theirs), append(eager.rates, faster)
				}
			}
			of := fmt.Sprintf("%d processes of %d workers: ", n, jobs.DefaultMaxWorkers)
			bounds = append(bounds,
				bound{what: of + "pushes per second", seen: outbox.median()},
				bound{what: of + "unique River jobs per second, River's default settings", seen: plain.median()},
				bound{what: of + "unique River jobs per second, fetched as often as ours", seen: eager.median()},
				atLeastRatio(s.promise(0.7), of+"pushes, to the latter", outbox.to(&eager)),
			)
		}
		return bounds, nil
	})
}

// byProcesses marks all organizations, starts processes, and returns how many they push a second.
func (s ceiling) byProcesses(ctx context.Context, f *fleet, n int) (float64, error) {
	if err := s.backlog(ctx, f, f.announce); err != nil {
		return 0, err
	}
	first := len(f.calls())
	if err := f.startMore(ctx, n); err != nil {
		return 0, err
	}
	if _, err := until(ctx, time.Now(), 5*time.Minute, s.pushed(f, first)); err != nil {
		return 0, err
	}
	rate := f.calls()[first:].pushes().rate()
	return rate, f.stop()
}

// byPlainJobs inserts a job for each organization, starts processes, and returns how many jobs they do a second.
func (s ceiling) byPlainJobs(ctx context.Context, f *fleet, n int, config plainjobs.Config) (rate float64, err error) {
	inserter, err := plainjobs.NewInserter(f.pool)
	if err != nil {
		return 0, err
	}
	announce := func(ctx context.Context, tx pgx.Tx, keys []string) error {
		return inserter.AnnounceTx(ctx, tx, keys...)
	}
	if err := s.backlog(ctx, f, announce); err != nil {
		return 0, err
	}
	first := len(f.calls())
	err = f.withPlainProcesses(ctx, n, config, func() error {
		_, err := until(ctx, time.Now(), 5*time.Minute, s.pushed(f, first))
		return err
	})
	return f.calls()[first:].pushes().rate(), err
}

// pushed tells whether each organization was pushed, after the calls that are the first. Whether Clerk has everything is looked
// at only then: that takes time, too.
func (s ceiling) pushed(f *fleet, first int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		if len(f.calls()) < first+s.organizations {
			return false, nil
		}
		return f.inStep()(ctx)
	}
}

// backlog changes all organizations, with nothing left behind of what was before.
func (s ceiling) backlog(ctx context.Context, f *fleet, announce announcer) error {
	if err := f.resetMarks(ctx); err != nil {
		return err
	}
	before := f.announce
	defer func() { f.announce = before }()
	f.announce = announce
	for keys := range slices.Chunk(f.keys, 500) {
		if err := f.change(ctx, keys...); err != nil {
			return err
		}
	}
	return f.exec(ctx, "CHECKPOINT")
}
