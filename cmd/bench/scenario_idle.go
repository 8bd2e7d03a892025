package main

import (
	"context"
	"fmt"
	"time"
)

// idle is a fleet that has nothing to do, of different sizes.
type idle struct {
	fleets []int
	span   time.Duration
}

func (s idle) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: 100, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) (bounds []bound, err error) {
		for _, n := range s.fleets {
			more, err := s.look(ctx, f, n)
			if err != nil {
				return nil, err
			}
			bounds = append(bounds, more...)
		}
		return bounds, nil
	})
}

// look grows the fleet to n processes, and watches it do nothing.
func (s idle) look(ctx context.Context, f *fleet, n int) ([]bound, error) {
	if err := f.startMore(ctx, n-len(f.processes)); err != nil {
		return nil, err
	}
	if err := sleep(ctx, 5*time.Second); err != nil { // what is done once has been done then
		return nil, err
	}
	before, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, s.span); err != nil {
		return nil, err
	}
	after, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	connections, err := query[int](ctx, f, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()`)
	if err != nil {
		return nil, err
	}
	connections -= int(f.pool.Stat().TotalConns())
	resident := 0.0
	for _, p := range f.processes {
		now, _ := memory(p.PID())
		resident += now
	}
	used, seconds := after.since(before), after.at.Sub(before.at).Seconds()
	of := func(what string) string { return fmt.Sprintf("%s, each of %d", what, n) }
	each := seconds * float64(n)
	return []bound{
		{what: of("transactions per second"), seen: used.transactions / each},
		{what: of("bytes of WAL per second"), seen: used.wal / each},
		{what: of("processor"), seen: 100 * used.cpu / each, unit: percent},
		{what: of("connections"), seen: float64(connections) / float64(n)},
		{what: of("memory"), seen: resident / float64(n), unit: megabytes},
	}, nil
}
