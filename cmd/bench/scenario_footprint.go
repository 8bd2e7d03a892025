package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
)

// footprint is what a process takes that has nothing to do, and what it costs to start one.
type footprint struct {
	span   time.Duration // that it is watched for
	starts int
}

func (s footprint) run(ctx context.Context, b *bench) ([]bound, error) {
	return b.withFleet(ctx, fleetConfig{organizations: 100, clerk: clerkOf(production)}, func(f *fleet) ([]bound, error) {
		program, err := os.Stat(b.program)
		if err != nil {
			return nil, err
		}
		ready, err := s.start(ctx, f)
		if err != nil {
			return nil, err
		}
		bounds := []bound{
			{what: "the program's file", seen: float64(program.Size()) / 1e6, unit: megabytes},
			took("from the start of a process to its being ready, on a migrated database, half of the times", ready.percentile(50)),
		}
		idle, err := s.idle(ctx, f)
		return append(bounds, idle...), err
	})
}

// start starts processes one after the other, and returns how long each took to be ready, sorted.
func (s footprint) start(ctx context.Context, f *fleet) (latencies, error) {
	var all latencies
	for range s.starts {
		begun := time.Now()
		if err := f.startMore(ctx, 1); err != nil {
			return nil, err
		}
		ready, err := until(ctx, begun, startPatience, func(ctx context.Context) (bool, error) {
			status, _, err := f.processes[0].get(ctx, "/readyz", nil)
			return status == http.StatusOK, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, ready.Duration)
		if err := f.stop(); err != nil {
			return nil, err
		}
	}
	return sortedLatencies(all), nil
}

// idle watches a process do nothing, by what it asks the database.
func (s footprint) idle(ctx context.Context, f *fleet) (_ []bound, err error) {
	proxy, err := pgproxy.Start(f.url)
	if err != nil {
		return nil, err
	}
	f.closing.add(proxy.Close)
	f.config.environment = append(f.config.environment, "DATABASE_URL="+proxy.URL())
	if err := f.startMore(ctx, 1); err != nil {
		return nil, err
	}
	// The processes before it have left: that is noticed, and whoever led is replaced.
	if err := sleep(ctx, settling); err != nil {
		return nil, err
	}
	statements := proxy.Count("")
	watched, err := idle{span: s.span}.watch(ctx, f)
	if err != nil {
		return nil, err
	}
	perMinute := float64(statements.N()) * float64(time.Minute) / float64(s.span)
	goroutines, err := f.processes[0].metric(ctx, "go_goroutines")
	if err != nil {
		return nil, err
	}
	bounds := append([]bound{{what: "statements per minute, with nothing to do", seen: perMinute}}, watched...)
	return append(bounds, bound{what: "goroutines", seen: goroutines}), f.stop()
}

// metric asks the process for one of its metrics, that has no labels.
func (p *serving) metric(ctx context.Context, name string) (float64, error) {
	_, body, err := p.get(ctx, "/metrics", nil)
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(body)
	if found == nil {
		return 0, fmt.Errorf("GET /metrics: there is no %s", name)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
