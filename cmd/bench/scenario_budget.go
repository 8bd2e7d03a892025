package main

import (
	"context"
	"fmt"
	"time"
)

// budget is a backlog that is drained as fast as Clerk's limit allows, by processes that know nothing of each other.
type budget struct {
	limit         int // requests per window
	organizations int
	used          float64 // how much of the limit is to be used at least, in percent
}

func (s budget) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(s.limit),
		environment: []string{limitVariable(s.limit), shareVariable(1)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		begun := time.Now()
		if err := f.change(ctx, f.keys...); err != nil {
			return nil, err
		}
		drained, err := until(ctx, begun, 2*s.allowed()+time.Minute, f.clean)
		if err != nil {
			return nil, err
		}
		stale, err := f.stale(ctx)
		if err != nil {
			return nil, err
		}
		calls := f.calls()
		return []bound{
			{
				what: "budget used, from the first push to the last", seen: calls.used(s.limit),
				promise: atLeast, limit: s.used, unit: percent,
			},
			zero("answers 429", len(calls.tooMany())),
			zero("organizations out of step in the end", len(stale)),
			counted("pushes", len(calls.pushes())),
			took("all clean after", drained),
		}, nil
	})
}

// allowed is how long the limit makes it take.
func (s budget) allowed() time.Duration { return drainTime(s.organizations, float64(s.limit)) }

// drainTime is how long so many pushes take at so many per window.
func drainTime(pushes int, rate float64) time.Duration {
	return time.Duration(float64(pushes) / rate * float64(window))
}

// limitVariable tells a process Clerk's limit, in requests per window.
func limitVariable(requests int) string { return fmt.Sprintf("CLERK_RATE_LIMIT=%d", requests) }

// shareVariable tells a process how much of the limit the fleet is to use.
func shareVariable(share float64) string { return fmt.Sprintf("CLERK_RATE_SHARE=%g", share) }
