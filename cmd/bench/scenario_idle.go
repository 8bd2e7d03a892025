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
	if err := sleep(ctx, settling); err != nil { // what is done once has been done then
		return nil, err
	}
	bounds, err := s.watch(ctx, f)
	for i := range bounds {
		bounds[i].what = fmt.Sprintf("%s, each of %d", bounds[i].what, n)
	}
	return bounds, err
}

// settling is how long processes that were just started have something to do.
const settling = 5 * time.Second

// watch watches processes do nothing, and returns what each of them uses.
func (s idle) watch(ctx context.Context, f *fleet) ([]bound, error) {
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
	n := float64(len(f.processes))
	each := seconds * n
	return []bound{
		{what: "transactions per second", seen: used.transactions / each},
		{what: "bytes of WAL per second", seen: used.wal / each},
		{what: "processor", seen: 100 * used.cpu / each, unit: percent},
		{what: "connections", seen: float64(connections) / n},
		{what: "memory", seen: resident / n, unit: megabytes},
	}, nil
}
