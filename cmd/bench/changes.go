package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// changeClaims gives organizations other claims than they had: no two of 202 changes in a row leave the same ones.
const changeClaims = `
	UPDATE organizations SET
		compliance_score = (coalesce(compliance_score, 0) + 1) % 101, insurance_valid = NOT coalesce(insurance_valid, false),
		documentation_score = 0, insurance_score = 0, personnel_score = 0, audit_score = 0,
		calculated_at = clock_timestamp(), recalculate_at = NULL
	WHERE clerk_org_id = ANY($1)`

// announcer tells in a transaction that organizations changed.
type announcer func(ctx context.Context, tx pgx.Tx, keys []string) error

// change commits the next change of each organization, all in one transaction.
func (f *fleet) change(ctx context.Context, keys ...string) error {
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, changeClaims, keys); err != nil {
			return err
		}
		return f.announce(ctx, tx, keys)
	})
	if err != nil {
		return fmt.Errorf("changing %d organizations from %s: %w", len(keys), keys[0], err)
	}
	return nil
}

// changeOver makes so many changes at random times of the span, one transaction each, spread evenly over the
// organizations, and returns when the span is over.
func (f *fleet) changeOver(ctx context.Context, span time.Duration, changes int) error {
	keys := make([]string, changes)
	times := make([]time.Duration, changes)
	for i := range keys {
		keys[i] = f.keys[i%len(f.keys)]
		times[i] = rand.N(span)
	}
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	slices.Sort(times)

	begun := time.Now()
	for i, key := range keys {
		if err := sleepUntil(ctx, begun.Add(times[i])); err != nil {
			return err
		}
		if err := f.change(ctx, key); err != nil {
			return err
		}
	}
	return sleepUntil(ctx, begun.Add(span))
}

// hammer is a lot of changes.
type hammer struct {
	rate    int // changes a second, all in all
	span    time.Duration
	writers int
}

// hammered is what became of it.
type hammered struct {
	changes int
	took    time.Duration
	last    time.Time // when the last change had been committed
}

// hammer makes changes as often as it can up to the rate: change makes the n-th.
func (f *fleet) hammer(ctx context.Context, h hammer, change func(ctx context.Context, n int) error) (hammered, error) {
	begun := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var done hammered
	group, ctx := errgroup.WithContext(ctx)
	for range h.writers {
		group.Go(func() error {
			for {
				n := next.Add(1)
				due := begun.Add(time.Duration(n) * time.Second / time.Duration(h.rate))
				if err := sleepUntil(ctx, due); err != nil {
					return err
				}
				if time.Since(begun) >= h.span {
					return nil
				}
				if err := change(ctx, int(n)); err != nil {
					return err
				}
				mu.Lock()
				done.changes++
				done.last = time.Now()
				mu.Unlock()
			}
		})
	}
	err := group.Wait()
	done.took = done.last.Sub(begun)
	return done, err
}

// sleepUntil returns at that time, or with ctx's error if that ends before.
func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

func sleep(ctx context.Context, d time.Duration) error { return sleepUntil(ctx, time.Now().Add(d)) }
