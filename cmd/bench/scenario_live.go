package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/outbox"
)

// liveTraffic is changes by people while all organizations are backfilled.
type liveTraffic struct {
	organizations int
	idle          time.Duration // how long there are only the changes, for comparison
}

const (
	// liveWithin is how soon after its commit Clerk has applied a change during a backfill, in 99 of 100 cases.
	liveWithin = 2 * time.Second

	// liveRate is how many changes people make, a second.
	liveRate = 5
)

func (s liveTraffic) besideResync(ctx context.Context, b *bench) ([]bound, error) {
	return s.run(ctx, b, "resync", "--all")
}

func (s liveTraffic) besideRecalculation(ctx context.Context, b *bench) ([]bound, error) {
	return s.run(ctx, b, "recalculate", "--all")
}

// run has changes alone, and then beside the command.
func (s liveTraffic) run(ctx context.Context, b *bench, command ...string) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		// Organizations without facts, but with claims that these do not justify: calculated, all of them change.
		if err := f.exec(ctx, changeClaims, f.keys); err != nil {
			return nil, err
		}
		if err := f.forgetMarks(ctx); err != nil {
			return nil, err
		}
		alone, err := s.besides(ctx, f, func(ctx context.Context) error { return sleep(ctx, s.idle) })
		if err != nil {
			return nil, err
		}
		begun := time.Now()
		var marked, drained elapsed
		beside, err := s.besides(ctx, f, func(ctx context.Context) (err error) {
			if _, err = f.command(ctx, command...); err != nil {
				return err
			}
			marked = lasting(time.Since(begun))
			drained, err = f.backfilled(ctx, begun, 2*s.allowed())
			return err
		})
		if err != nil {
			return nil, err
		}
		stale, err := f.stale(ctx)
		if err != nil {
			return nil, err
		}
		calls := f.calls().since(begun)
		return []bound{
			within(liveWithin, "99 % of changes are at Clerk, after their commit", beside.percentile(99)),
			took("… half of them", beside.percentile(50)),
			took("… 99 % without a backfill", alone.percentile(99)),
			counted("… changes meanwhile", len(beside)),
			within(s.allowed(), "all pushed again, after the start", drained),
			zero("organizations that were not", s.organizations-calls.organizations()),
			took("app "+command[0]+" --all took", marked),
			{what: "of our share of the limit is used", seen: calls.used(outbox.DefaultShare * production), unit: percent},
			zero("answers 429", len(calls.tooMany())),
			zero("organizations out of step in the end", len(stale)),
		}, nil
	})
}

// besides makes changes for as long as that takes, and returns how long they took to Clerk when all are there.
func (s liveTraffic) besides(ctx context.Context, f *fleet, while func(context.Context) error) (latencies, error) {
	var commits []commit
	stopped := make(chan struct{})
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		commits, err = f.changeUntil(groupCtx, stopped, liveRate)
		return err
	})
	group.Go(func() error {
		defer close(stopped)
		return while(groupCtx)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if _, err := until(ctx, time.Now(), prompt, f.inStepAndClean); err != nil {
		return nil, err
	}
	return f.latencies(commits)
}

// allowed is how long the budget makes the backfill take.
func (s liveTraffic) allowed() time.Duration {
	pushes := float64(s.organizations)
	rate := outbox.DefaultShare*production - liveRate*window.Seconds() // the changes go first
	return time.Duration(pushes/rate*float64(window)) + drainSlack
}

// backfilled waits until nothing is left of what has been marked by now, and returns how long that took since begun.
func (f *fleet) backfilled(ctx context.Context, begun time.Time, patience time.Duration) (elapsed, error) {
	markedBy, err := query[time.Time](ctx, f, `SELECT clock_timestamp()`)
	if err != nil {
		return elapsed{}, err
	}
	return until(ctx, begun, patience, func(ctx context.Context) (bool, error) {
		left, err := query[int](ctx, f, `SELECT count(*) FROM outbox WHERE dirty_since <= $1`, markedBy)
		return left == 0, err
	})
}

// organizations is how many different ones they were about.
func (c calls) organizations() int {
	different := map[string]bool{}
	for _, request := range c {
		different[request.Organization] = true
	}
	return len(different)
}
