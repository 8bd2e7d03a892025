package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/housekeeping"
)

// million is a lot of deliveries, while those that are old are deleted.
type million struct {
	deliveries    int
	organizations int
	rate          int // deliveries a second: for as much to be kept at any time, and never as fast as can be
	workers       int
	retention     time.Duration
	slower        float64 // how many times as long a step may take in the end
}

const (
	// larger is how many times as large a table may be in the end.
	larger = 1.25
	// keepEvery is how often what is old is looked for, and keepLate how late it may be deleted.
	keepEvery = 200 * time.Millisecond
	keepLate  = 3 * time.Second
)

func (s million) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := shortenTime(ctx, f); err != nil {
			return nil, err
		}
		if err := f.forgetMarks(ctx); err != nil { // a row for each: what comes is no growth of the first kind
			return nil, err
		}
		keeping, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { s.keeper(f).Run(keeping) })
		defer func() { stop(); running.Wait() }()
		d := newDeliverer(f, s)
		if err := d.deliver(ctx); err != nil {
			return nil, err
		}
		late, err := query[float64](ctx, f, `SELECT date_part('epoch', clock_timestamp() - min(finished_at)) FROM outbox_delivery`)
		if err != nil {
			return nil, err
		}
		bounds, err := s.judge(d.tenths, lasting(time.Duration(late*float64(time.Second))))
		return append(bounds, counted("claims that met a lock on the table for 50 ms", int(d.locked.Load()))), err
	})
}

// shortenTime has PostgreSQL look each second for what to vacuum, instead of each minute: a second here is hours elsewhere.
func shortenTime(ctx context.Context, f *fleet) error {
	if err := f.exec(ctx, `ALTER SYSTEM SET autovacuum_naptime = '1s'`); err != nil {
		return err
	}
	return f.exec(ctx, `SELECT pg_reload_conf()`)
}

func (s million) keeper(f *fleet) *housekeeping.Keeper {
	const forever = housekeeping.Forever
	return housekeeping.New(housekeeping.Config{
		Pool: f.pool, Topic: claimsync.Topic, Every: keepEvery, Logger: slog.New(slog.DiscardHandler),
		Retention: housekeeping.Retention{
			Deliveries: s.retention, Activity: forever, OperatorLog: forever, Events: forever, Processes: forever,
		},
	})
}

// judge compares the last tenth with the first one that old deliveries were deleted all through.
func (s million) judge(tenths []tenth, oldest elapsed) ([]bound, error) {
	var bounds []bound
	first, last := -1, len(tenths)-1
	for i, t := range tenths {
		bounds = append(bounds, told(fmt.Sprintf("tenth %d", i+1), t.String()))
		if first < 0 && t.ended-t.took > s.retention {
			first = i
		}
	}
	if first < 0 || first == last {
		return nil, fmt.Errorf("nothing can be said: %d deliveries took no longer than %s", s.deliveries, tenths[last].ended)
	}
	then, now := tenths[first], tenths[last]
	// On a machine that is slower for a while there is less to keep.
	kept := max(1, float64(now.kept)/float64(then.kept))
	size := func(table string, more float64) []bound {
		return []bound{
			{
				what: table + " and its indexes, in the end", seen: now.size[table], unit: megabytes,
				promise: atMost, limit: larger * more * then.size[table],
			},
			{what: fmt.Sprintf("… in tenth %d: %s", first+1, table), seen: then.size[table], unit: megabytes},
		}
	}
	slow := func(step string, then, now latencies) []bound {
		limit := time.Duration(s.slower * float64(then.percentile(99).Duration))
		return []bound{
			within(limit, step+": 99 % within, in the end", now.percentile(99)),
			took("… half within: "+step, now.percentile(50)),
		}
	}
	bounds = append(bounds, size("outbox", 1)...)
	bounds = append(bounds, size("outbox_delivery", kept)...)
	bounds = append(bounds, slow("mark", then.marks, now.marks)...)
	bounds = append(bounds, slow("acknowledge", then.acknowledgements, now.acknowledgements)...)
	return append(bounds,
		within(s.retention+keepLate, "the oldest delivery in the log, in the end", oldest),
		bound{what: "updates of outbox that were HOT", seen: now.hot, unit: percent},
		counted("deliveries in the log, in the end", now.kept),
		counted("deliveries", s.deliveries),
		bound{what: "… per second", seen: float64(s.deliveries) / now.ended.Seconds()},
	), nil
}
