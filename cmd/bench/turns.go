package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// turns are how variants are compared: each has as many turns as the others, of the same length, one after the other.
type turns struct {
	number int
	length time.Duration
}

// variant is one of several ways to do something.
type variant struct {
	name string
	// before makes everything ready for a turn, and is no part of it.
	before func(ctx context.Context) error
	// do does it once, with the n-th of what there is to be done.
	do func(ctx context.Context, n int) error
}

// measured is what the turns of a variant came to.
type measured struct {
	rates     []float64 // a second, of each turn
	latencies latencies // of all turns
}

// take lets the variants take turns, in another order each time, with so many workers at once. The first turn of each warms up.
func (t turns) take(ctx context.Context, workers int, variants []variant) (map[string]*measured, error) {
	results := map[string]*measured{}
	for _, v := range variants {
		results[v.name] = &measured{}
	}
	for n := range t.number + 1 {
		for _, i := range rand.Perm(len(variants)) {
			v := variants[i]
			rate, latencies, err := t.turn(ctx, workers, v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			if n == 0 {
				continue
			}
			result := results[v.name]
			result.rates, result.latencies = append(result.rates, rate), append(result.latencies, latencies...)
		}
	}
	for _, result := range results {
		slices.Sort(result.latencies)
	}
	return results, nil
}

// turn is one of a variant's.
func (t turns) turn(ctx context.Context, workers int, v variant) (rate float64, all latencies, err error) {
	if err := v.before(ctx); err != nil {
		return 0, nil, err
	}
	var next atomic.Int64
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for range workers {
		group.Go(func() error {
			var own latencies
			for ended := begun; ended.Sub(begun) < t.length; {
				started := time.Now()
				if err := v.do(ctx, int(next.Add(1)-1)); err != nil {
					return err
				}
				ended = time.Now()
				own = append(own, ended.Sub(started))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			return nil
		})
	}
	err = group.Wait()
	return float64(len(all)) / time.Since(begun).Seconds(), all, err
}

// to is the ratio of the rates to another variant's, turn by turn: sorted.
func (m *measured) to(other *measured) ratios {
	all := make(ratios, len(m.rates))
	for i, rate := range m.rates {
		all[i] = rate / other.rates[i]
	}
	slices.Sort(all)
	return all
}

// ratios are sorted.
type ratios []float64

func (r ratios) median() float64 { return r[len(r)/2] }

// spread is where the middle half of them lies.
func (r ratios) spread() string {
	return fmt.Sprintf("%s to %s", trimmed(r[len(r)/4], 2), trimmed(r[len(r)*3/4], 2))
}

// median is that of the rates.
func (m *measured) median() float64 {
	sorted := slices.Sorted(slices.Values(m.rates))
	return sorted[len(sorted)/2]
}

// atLeastRatio is a ratio that must not be lower, with its spread.
func atLeastRatio(limit float64, what string, seen ratios) bound {
	return bound{
		what: fmt.Sprintf("%s (half of the turns: %s)", what, seen.spread()), seen: seen.median(), promise: atLeast, limit: limit,
	}
}
