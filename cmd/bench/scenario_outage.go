package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/outbox"
)

// outage is a Clerk that fails for a while and then hangs for a while, with organizations that change meanwhile.
type outage struct {
	organizations int
	failing       time.Duration // how long it answers 503
	hanging       time.Duration // how long it does not answer after that
}

const (
	// probeInterval is the time between two calls of the fleet while its breaker is open.
	probeInterval = 3 * time.Second

	// callsUntilOpen is how many calls may be under way, or fail before the breaker opens.
	callsUntilOpen = 30

	// recognized is how soon after Clerk's recovery the first push succeeds.
	recognized = 6 * time.Second

	// drainSlack is what a drain may take beside what the budget allows.
	drainSlack = 10 * time.Second

	// warmUp is how long there is some traffic before something happens, and warmUpRate how much, in changes a second.
	warmUp     = 5 * time.Second
	warmUpRate = 20
)

func (s outage) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		times, err := s.play(ctx, f)
		if err != nil {
			return nil, err
		}
		return collect(ctx,
			func(ctx context.Context) ([]bound, error) { return s.recovery(ctx, f, times.ended) },
			func(context.Context) ([]bound, error) { return s.restraint(f, times), nil },
			func(ctx context.Context) ([]bound, error) { return s.untouched(ctx, f) },
		)
	})
}

// recovery waits until everything is in step again.
func (outage) recovery(ctx context.Context, f *fleet, ended time.Time) ([]bound, error) {
	backlog, err := f.dirty(ctx)
	if err != nil {
		return nil, err
	}
	allowed := drainTime(backlog, outbox.DefaultShare*production) + drainSlack
	drained, err := until(ctx, ended, 2*allowed, f.inStepAndClean)
	return []bound{
		within(recognized, "first successful push, after recovery", firstPush(f.calls(), ended)),
		within(allowed, "all in step, after recovery", drained),
		counted("… organizations behind at recovery", backlog),
	}, err
}

// restraint is how often Clerk was asked while it was down.
func (outage) restraint(f *fleet, times outageTimes) []bound {
	probes := int(times.ended.Sub(times.began) / probeInterval)
	calls := f.calls().since(times.began).until(times.ended)
	return []bound{upTo(callsUntilOpen+probes, "calls during the outage", len(calls))}
}

// outageTimes are when the outage began and ended.
type outageTimes struct{ began, ended time.Time }

// play has some traffic, then the outage with changes to every organization.
func (s outage) play(ctx context.Context, f *fleet) (times outageTimes, err error) {
	if err = f.changeOver(ctx, warmUp, int(warmUp.Seconds()*warmUpRate)); err != nil {
		return times, err
	}
	times.began = time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.changeOver(ctx, s.failing+s.hanging, 2*s.organizations) })
	group.Go(func() (err error) {
		times.ended, err = s.script(ctx, f.clerk)
		return err
	})
	err = group.Wait()
	return times, err // times is complete only now
}

// script is what Clerk does. Returns when it was well again: what hangs then, hangs on.
func (s outage) script(ctx context.Context, clerk *clerktest.Server) (ended time.Time, err error) {
	clerk.SetFaults(clerktest.Fault{Effect: clerktest.Answer, Status: 503})
	if err := sleep(ctx, s.failing); err != nil {
		return ended, err
	}
	clerk.SetFaults(clerktest.Fault{Effect: clerktest.Hang})
	if err := sleep(ctx, s.hanging); err != nil {
		return ended, err
	}
	clerk.SetFaults(usual)
	return time.Now(), nil
}

// untouched is what the outage must not have cost.
func (outage) untouched(ctx context.Context, f *fleet) ([]bound, error) {
	attempt, err := f.highestAttempt(ctx)
	if err != nil {
		return nil, err
	}
	discarded, err := query[int](ctx, f, `SELECT count(*) FROM river.river_job WHERE state = 'discarded'`)
	if err != nil {
		return nil, err
	}
	parked, err := f.parked(ctx)
	return []bound{
		upTo(2, "highest attempt of a River job", attempt),
		zero("jobs discarded", discarded),
		zero("organizations parked", parked),
	}, err
}

// highestAttempt is that of any job, live or ended.
func (f *fleet) highestAttempt(ctx context.Context) (int, error) {
	return query[int](ctx, f, `SELECT coalesce(max(attempt), 0) FROM river.river_job`)
}

// firstPush is how long after that time the first push succeeded.
func firstPush(c calls, after time.Time) elapsed {
	var first elapsed
	for _, push := range c.pushes() {
		if took := push.Finished.Sub(after); took >= 0 && (first.Duration == 0 || took < first.Duration) {
			first = lasting(took)
		}
	}
	if first.Duration == 0 {
		return elapsed{Duration: time.Since(after), beyond: true}
	}
	return first
}
