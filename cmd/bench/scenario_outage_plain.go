package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/internal/plainjobs"
	"github.com/claimsync/claimsync/jobs"
)

// plainOutage is the outage without the outbox, and promises nothing: a unique River job per organization, whose worker
// calls Clerk once and leaves the rest to River.
type plainOutage struct {
	outage
	patience time.Duration // how long after recovery it is watched
}

func (s plainOutage) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := f.usePlainJobs(ctx); err != nil {
			return nil, err
		}
		times, err := s.play(ctx, f)
		if err != nil {
			return nil, err
		}
		inStep, err := until(ctx, times.ended, s.patience, f.inStep())
		if err != nil {
			return nil, err
		}
		stale, err := f.stale(ctx)
		if err != nil {
			return nil, err
		}
		attempt, err := f.highestAttempt(ctx)
		return []bound{
			counted("calls during the outage", len(f.calls().since(times.began).until(times.ended))),
			counted("highest attempt of a River job", attempt),
			took("all in step, after recovery", inStep),
			counted("organizations out of step then", len(stale)),
		}, err
	})
}

// usePlainJobs announces changes by unique jobs, and works them with as many workers as the fleet would have.
func (f *fleet) usePlainJobs(ctx context.Context) error {
	plain, err := plainjobs.Start(ctx, f.pool, f.clerk.BaseURL(), plainjobs.Config{Workers: processes * jobs.DefaultMaxWorkers})
	if err != nil {
		return err
	}
	f.closing.add(func() error {
		// Not the scenario's context: it may have ended.
		stopping, cancel := context.WithTimeout(context.Background(), stopPatience)
		defer cancel()
		return plain.Stop(stopping)
	})
	f.announce = func(ctx context.Context, tx pgx.Tx, keys []string) error {
		return plain.AnnounceTx(ctx, tx, keys...)
	}
	return nil
}
