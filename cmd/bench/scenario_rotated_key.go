package main

import (
	"context"
	"net/http"
	"time"
)

// rotatedKey is a secret key that is replaced at Clerk while the fleet still has the old one.
type rotatedKey struct {
	organizations int
	span          time.Duration // until the fleet gets the new key
}

const (
	newSecretKey = "sk_test_clerktestrotated"

	// callsUntilRefused is how many calls may be under way, or refused before the breaker opens.
	callsUntilRefused = 10

	// restartBound is how long after a restart with the right key everything may take to drain.
	restartBound = 30 * time.Second
)

func (s rotatedKey) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		refused, err := s.refuse(ctx, f)
		if err != nil {
			return nil, err
		}
		drained, err := s.restart(ctx, f)
		if err != nil {
			return nil, err
		}
		return append(refused, within(restartBound, "all in step, after the start with the new key", drained)), nil
	})
}

// refuse replaces the key at Clerk while organizations change, and tells what the fleet did about it.
func (s rotatedKey) refuse(ctx context.Context, f *fleet) ([]bound, error) {
	if err := f.changeOver(ctx, warmUp, int(warmUp.Seconds()*warmUpRate)); err != nil {
		return nil, err
	}
	f.clerk.SetSecretKey(newSecretKey)
	rotated := time.Now()
	if err := f.changeOver(ctx, s.span, s.organizations); err != nil {
		return nil, err
	}
	calls := len(f.calls().since(rotated))
	probes, err := f.probes(ctx)
	if err != nil {
		return nil, err
	}
	parked, err := f.parked(ctx)
	if err != nil {
		return nil, err
	}
	degraded, err := f.degraded(ctx)
	// A refused key is probed for no more often than an outage is: after 2 s, then ever more seldom, up to every 30 s.
	mostProbes := int(s.span / probeInterval)
	return []bound{
		upTo(callsUntilRefused+mostProbes, "calls with the old key", calls),
		counted("… of them probes", probes),
		zero("organizations parked", parked),
		holds("every process's /readyz says degraded, and why", degraded),
	}, err
}

// probes is how many deliveries were made to find out whether Clerk is well again.
func (f *fleet) probes(ctx context.Context) (int, error) {
	return query[int](ctx, f, `SELECT count(*) FROM outbox_delivery WHERE job_id IS NULL`)
}

// degraded tells whether every process calls itself degraded, and has a reason.
func (f *fleet) degraded(ctx context.Context) (bool, error) {
	for _, p := range f.processes {
		var answer struct {
			Status  string   `json:"status"`
			Reasons []string `json:"reasons"`
		}
		status, _, err := p.get(ctx, "/readyz", &answer)
		if err != nil || status != http.StatusOK || answer.Status != "degraded" || len(answer.Reasons) == 0 {
			return false, err
		}
	}
	return true, nil
}

// restart gives the fleet the new key, and returns how long after that everything is in step.
func (s rotatedKey) restart(ctx context.Context, f *fleet) (elapsed, error) {
	if err := f.stop(); err != nil {
		return elapsed{}, err
	}
	f.config.environment = append(f.config.environment, "CLERK_SECRET_KEY="+newSecretKey)
	f.quiet.Lock()
	begun := time.Now()
	err := f.start(ctx)
	f.quiet.Unlock()
	if err != nil {
		return elapsed{}, err
	}
	return until(ctx, begun, 2*restartBound, f.inStepAndClean)
}
