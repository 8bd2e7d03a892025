package main

import (
	"context"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// hot is one organization that changes all the time.
type hot struct {
	hammer hammer
}

const (
	// organizationLimit is Clerk's limit of the writes to one organization, per window.
	organizationLimit = 10

	// lastStateWithin is how long after the last change Clerk has it.
	lastStateWithin = 2 * time.Second
)

func (s hot) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: 1, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		done, err := f.hammer(ctx, s.hammer, func(ctx context.Context, _ int) error { return f.change(ctx, f.keys[0]) })
		if err != nil {
			return nil, err
		}
		arrived, err := f.arrived(ctx, f.keys[0], done.last)
		if err != nil {
			return nil, err
		}
		calls := f.calls()
		return []bound{
			upTo(organizationLimit, "most pushes in any 10 s", calls.writes().most(window)),
			zero("answers 429", len(calls.tooMany())),
			within(lastStateWithin, "Clerk has the last state, after the last change", arrived),
			counted("changes", done.changes),
			{what: "changes per second", seen: float64(done.changes) / done.took.Seconds()},
			counted("pushes", len(calls.pushes())),
		}, nil
	})
}

// arrived is how long after that time Clerk had the organization's last state.
func (f *fleet) arrived(ctx context.Context, key string, after time.Time) (elapsed, error) {
	inStep, err := until(ctx, after, prompt, f.inStepAndClean)
	if err != nil || inStep.beyond {
		return inStep, err
	}
	version, err := query[int64](ctx, f, `SELECT desired_version FROM outbox WHERE key = $1`, key)
	if err != nil {
		return elapsed{}, err
	}
	write, err := f.clerk.WaitForWrite(ctx, func(w clerktest.Write) bool {
		return w.Organization == key && w.Version >= version
	})
	return lasting(max(0, write.Applied.Sub(after))), err
}
