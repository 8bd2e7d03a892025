package main

import (
	"context"
	"time"
)

// fifty is a backlog that is drained by many processes, of which some are killed: what they had of the budget must not
// be lost with them.
type fifty struct {
	organizations int
	processes     int
	killed        int           // how many of them
	after         time.Duration // from the beginning of the drain
	used          float64       // how much of the limit is to be used at least, in percent
}

func (s fifty) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: s.processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production), shareVariable(1)},
		// Four hundred workers are more than enough for a hundred calls a second; two processors have to do all their work.
		flags: []string{"--max-workers=8"},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		begun := time.Now()
		if err := f.change(ctx, f.keys...); err != nil {
			return nil, err
		}
		if err := sleep(ctx, s.after); err != nil {
			return nil, err
		}
		f.kill(s.killed)
		drained, err := until(ctx, begun, 2*drainTime(s.organizations, production)+time.Minute, f.inStepAndClean)
		if err != nil {
			return nil, err
		}
		calls := f.calls()
		return []bound{
			{
				what: "budget used, from the first push to the last", seen: calls.used(production),
				promise: atLeast, limit: s.used, unit: percent,
			},
			zero("answers 429", len(calls.tooMany())),
			counted("pushes", len(calls.pushes())),
			took("all in step after", drained),
		}, nil
	})
}

// kill kills some of the processes.
func (f *fleet) kill(n int) {
	for _, p := range f.processes[:n] {
		p.Kill()
	}
	f.processes = f.processes[n:]
}

// used is how much of the limit was used between the first push and the last, in percent.
func (c calls) used(limit int) float64 {
	pushes := c.pushes()
	if len(pushes) < 2 {
		return 0 // they span no time
	}
	return 100 * float64(len(pushes)) / (pushes.span().Seconds() * float64(limit) / window.Seconds())
}
