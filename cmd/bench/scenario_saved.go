package main

import (
	"context"
	"fmt"
	"time"
)

// saved is a few organizations that change all the time: what that costs in calls.
type saved struct {
	hammer        hammer
	organizations int
}

func (s saved) run(ctx context.Context, b *bench) ([]bound, error) {
	return collect(ctx,
		func(ctx context.Context) ([]bound, error) { return s.byOutbox(ctx, b) },
		func(ctx context.Context) ([]bound, error) { return s.byPlainJobs(ctx, b) },
	)
}

func (s saved) byOutbox(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: 1, clerk: clerkOf(production), environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		done, stale, err := s.play(ctx, f)
		if err != nil {
			return nil, err
		}
		calls := f.calls()
		fewest, most, window10 := len(calls), 0, 0
		for _, key := range f.keys {
			pushes := calls.of(key).pushes()
			fewest, most = min(fewest, len(pushes)), max(most, len(pushes))
			window10 = max(window10, pushes.most(window))
		}
		// The budget is a share of the limit, and may be used all at once after a pause.
		return []bound{
			{what: "changes per second", seen: float64(done.changes) / done.took.Seconds()},
			counted("pushes, of "+fmt.Sprint(done.changes)+" changes", len(calls.pushes())),
			upTo(organizationLimit, "most pushes of an organization in any 10 s", window10),
			{
				what: "fewest pushes of an organization, all in all", seen: float64(fewest),
				promise: atLeast, limit: float64(organizationLimit) * 0.8 * s.hammer.span.Seconds() / window.Seconds(),
			},
			counted("most pushes of an organization, all in all", most),
			zero("answers 429", len(calls.tooMany())),
			zero("organizations whose last change is lost", stale),
		}, nil
	})
}

// byPlainJobs is the same with a unique River job per change, for comparison.
func (s saved) byPlainJobs(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := f.usePlainJobs(ctx); err != nil {
			return nil, err
		}
		done, stale, err := s.play(ctx, f)
		if err != nil {
			return nil, err
		}
		calls := f.calls()
		return []bound{
			{what: "by unique River jobs: changes per second", seen: float64(done.changes) / done.took.Seconds()},
			counted("… calls", len(calls)),
			counted("… answers 429", len(calls.tooMany())),
			counted("… organizations whose last change is not there when the outbox's would be", stale),
		}, nil
	})
}

// play makes the changes, and returns of how many organizations Clerk does not have the last one soon after.
func (s saved) play(ctx context.Context, f *fleet) (done hammered, stale int, err error) {
	done, err = f.hammer(ctx, s.hammer, func(ctx context.Context, n int) error { return f.change(ctx, f.keys[n%len(f.keys)]) })
	if err != nil {
		return done, 0, err
	}
	if _, err := until(ctx, time.Now(), prompt, f.inStep()); err != nil {
		return done, 0, err
	}
	left, err := f.stale(ctx)
	return done, len(left), err
}
