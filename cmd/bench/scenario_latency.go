package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// latency is how soon after its commit a change is at Clerk, which answers at once and has no limits.
type latency struct {
	organizations int
	changes       int // of each kind, with nothing else to do
	busy          hammer
	promise       func(time.Duration) time.Duration
}

func (s latency) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: 1, clerk: clerktest.WithoutLimits(), environment: withoutBudget,
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		f.clerk.ClearFaults()
		return collect(ctx,
			func(ctx context.Context) ([]bound, error) { return s.idle(ctx, f) },
			func(ctx context.Context) ([]bound, error) { return s.underLoad(ctx, f) },
		)
	})
}

// withoutBudget is the environment of processes that keep to no limit.
var withoutBudget = []string{"CLERK_RATE_LIMIT=-1", "CLERK_ORGANIZATION_RATE_LIMIT=-1"}

// idle makes one change after the other, in turns by the outbox, by a unique River job, and by a call after the commit.
func (s latency) idle(ctx context.Context, f *fleet) ([]bound, error) {
	byOutbox := f.announce
	if err := f.usePlainJobs(ctx); err != nil {
		return nil, err
	}
	byPlainJob := f.announce
	f.announce = byOutbox
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: f.clerk.BaseURL()})
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()

	var commits []commit
	var plain, forgotten latencies
	for range s.changes {
		// Not in step with anything that ticks.
		if err := sleep(ctx, 30*time.Millisecond+rand.N(40*time.Millisecond)); err != nil {
			return nil, err
		}
		made, err := f.commit(ctx, f.keys[rand.IntN(len(f.keys))])
		if err != nil {
			return nil, err
		}
		commits = append(commits, made)
		if _, err := f.awaitPush(ctx, made.key, made.at); err != nil {
			return nil, err
		}

		took, err := f.timeChange(ctx, byPlainJob, nil)
		if err != nil {
			return nil, err
		}
		plain = append(plain, took)
		if took, err = f.timeChange(ctx, announceNothing, client); err != nil {
			return nil, err
		}
		forgotten = append(forgotten, took)
	}
	plain, forgotten = sortedLatencies(plain), sortedLatencies(forgotten)
	all, err := f.latencies(commits)
	if err != nil {
		return nil, err
	}
	parts, err := f.parts(ctx, commits)
	if err != nil {
		return nil, err
	}
	return []bound{
		within(s.promise(10*time.Millisecond), "nothing else to do: half of the changes are at Clerk, after their commit", all.percentile(50)),
		within(s.promise(40*time.Millisecond), "… 99 % of them", all.percentile(99)),
		told("… of the half: job noticed and fetched, claimed and read, called, acknowledged", parts),
		took("… by a unique River job, half of them", plain.percentile(50)),
		took("… by a unique River job, 99 % of them", plain.percentile(99)),
		took("… by a call after the commit, half of them", forgotten.percentile(50)),
		took("… by a call after the commit, 99 % of them", forgotten.percentile(99)),
	}, nil
}

// underLoad makes changes at a steady rate.
func (s latency) underLoad(ctx context.Context, f *fleet) ([]bound, error) {
	var mu sync.Mutex
	var commits []commit
	done, err := f.hammer(ctx, s.busy, func(ctx context.Context, n int) error {
		made, err := f.commit(ctx, f.keys[n%len(f.keys)])
		mu.Lock()
		defer mu.Unlock()
		commits = append(commits, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := until(ctx, time.Now(), prompt, f.inStepAndClean); err != nil {
		return nil, err
	}
	all, err := f.latencies(commits)
	if err != nil {
		return nil, err
	}
	of := fmt.Sprintf("%d changes a second: ", s.busy.rate)
	return []bound{
		took(of+"half of them are at Clerk, after their commit", all.percentile(50)),
		within(s.promise(150*time.Millisecond), of+"99 % of them", all.percentile(99)),
		{what: of + "in fact, per second", seen: float64(done.changes) / done.took.Seconds()},
	}, nil
}

func announceNothing(context.Context, pgx.Tx, []string) error { return nil }

// timeChange changes an organization, and returns how long after the commit Clerk had that. With a client, it calls itself.
func (f *fleet) timeChange(ctx context.Context, announce announcer, client *clerk.Client) (time.Duration, error) {
	if err := sleep(ctx, 30*time.Millisecond+rand.N(40*time.Millisecond)); err != nil {
		return 0, err
	}
	key := f.keys[rand.IntN(len(f.keys))]
	var state clerk.Metadata
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, changeClaims+` RETURNING certification_tier::text, compliance_score, insurance_valid`, []string{key}).
			Scan(&state.CertificationTier, &state.ComplianceScore, &state.InsuranceValid)
		return errors.Join(err, announce(ctx, tx, []string{key}))
	})
	if err != nil {
		return 0, fmt.Errorf("changing %s: %w", key, err)
	}
	committed := time.Now()
	if client != nil {
		if _, err := client.PushMetadata(ctx, key, state); err != nil {
			return 0, err
		}
	}
	applied, err := f.awaitPush(ctx, key, committed)
	return max(0, applied.Sub(committed)), err
}

// awaitPush waits for a write to the organization that began after some time, and returns when it had been applied.
func (f *fleet) awaitPush(ctx context.Context, key string, after time.Time) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	write, err := f.clerk.WaitForWrite(ctx, func(w clerktest.Write) bool { return w.Organization == key && w.Applied.After(after) })
	if err != nil {
		err = fmt.Errorf("waiting for a push of %s: %w", key, err)
	}
	return write.Applied, err
}

// parts is what the way of the commits to Clerk consists of, and what comes after it: medians, as a text.
func (f *fleet) parts(ctx context.Context, commits []commit) (string, error) {
	if _, err := until(ctx, time.Now(), prompt, f.clean); err != nil {
		return "", err
	}
	requests := map[int64]clerktest.Request{}
	for _, request := range f.calls() {
		requests[request.Seq] = request
	}
	pushed := map[commit]clerktest.Request{}
	for _, write := range f.clerk.Writes() {
		pushed[commit{key: write.Organization, version: write.Version}] = requests[write.Request]
	}
	var fetched, claimed, called, acknowledged latencies
	for _, c := range commits {
		var attempted, finished time.Time
		err := f.pool.QueryRow(ctx, `SELECT j.attempted_at, d.finished_at FROM outbox_delivery AS d JOIN river.river_job AS j ON j.id = d.job_id
			WHERE d.key = $1 AND d.version = $2`, c.key, c.version).Scan(&attempted, &finished)
		if err != nil {
			return "", fmt.Errorf("looking up the delivery of version %d of %s: %w", c.version, c.key, err)
		}
		request := pushed[commit{key: c.key, version: c.version}]
		fetched = append(fetched, attempted.Sub(c.at))
		claimed = append(claimed, request.Started.Sub(attempted))
		called = append(called, request.Finished.Sub(request.Started))
		acknowledged = append(acknowledged, finished.Sub(request.Finished))
	}
	var texts []any
	for _, part := range []latencies{fetched, claimed, called, acknowledged} {
		slices.Sort(part)
		texts = append(texts, trimmed(1000*part.percentile(50).Seconds(), 1))
	}
	return fmt.Sprintf("%s + %s + %s (+ %s) ms", texts...), nil
}
