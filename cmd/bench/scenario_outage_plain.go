package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
)

// plainOutage is the outage without the outbox, and promises nothing: a unique River job per organization, whose worker
// calls Clerk once and leaves the rest to River.
type plainOutage struct {
	outage
	patience time.Duration // how long after recovery it is watched
}

func (s plainOutage) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{organizations: s.organizations, clerk: clerkOf(production)}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := f.usePlainJobs(ctx); err != nil {
			return nil, err
		}
		times, err := s.play(ctx, f)
		if err != nil {
			return nil, err
		}
		inStep, err := until(ctx, times.ended, s.patience, f.inStep())
		if err != nil {
			return nil, err
		}
		stale, err := f.stale(ctx)
		if err != nil {
			return nil, err
		}
		attempt, err := f.highestAttempt(ctx)
		return []bound{
			counted("calls during the outage", len(f.calls().since(times.began).until(times.ended))),
			counted("highest attempt of a River job", attempt),
			took("all in step, after recovery", inStep),
			counted("organizations out of step then", len(stale)),
		}, err
	})
}

// plainArgs is the usual job: at most one per organization that is not done.
type plainArgs struct {
	Key string `json:"key"`
}

const plainQueue = "plain"

func (plainArgs) Kind() string { return "plain" }

func (plainArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: plainQueue, UniqueOpts: river.UniqueOpts{
		ByArgs: true,
		// Without those that are completed, which River's default counts: no organization would be pushed twice a day.
		ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		},
	}}
}

// plainWorker reads the current state and pushes it.
type plainWorker struct {
	river.WorkerDefaults[plainArgs]
	f     *fleet
	clerk *clerk.Client
}

func (w *plainWorker) Work(ctx context.Context, job *river.Job[plainArgs]) error {
	var want claims
	err := w.f.pool.QueryRow(ctx, `SELECT certification_tier::text, compliance_score, insurance_valid FROM organizations
		WHERE clerk_org_id = $1`, job.Args.Key).Scan(&want.Tier, &want.Score, &want.Insurance)
	if err != nil {
		return err
	}
	_, err = w.clerk.PushMetadata(ctx, job.Args.Key, clerk.Metadata{
		CertificationTier: want.Tier, ComplianceScore: want.Score, InsuranceValid: want.Insurance,
	})
	return err
}

// usePlainJobs announces changes by unique jobs, and works them with as many workers as the fleet would have.
func (f *fleet) usePlainJobs(ctx context.Context) error {
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: f.clerk.BaseURL()})
	if err != nil {
		return err
	}
	f.closing.add(func() error { client.CloseIdleConnections(); return nil })
	workers := river.NewWorkers()
	river.AddWorker(workers, &plainWorker{f: f, clerk: client})
	plain, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{plainQueue: {MaxWorkers: processes * jobs.DefaultMaxWorkers}},
	})
	if err != nil {
		return err
	}
	// Not ctx, whose end would stop it ungracefully: it is stopped below.
	if err := plain.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting plain River: %w", err)
	}
	f.closing.add(func() error {
		stopping, cancel := context.WithTimeout(context.Background(), stopPatience)
		defer cancel()
		return plain.StopAndCancel(stopping)
	})
	f.announce = func(ctx context.Context, tx pgx.Tx, keys []string) error {
		for _, key := range keys {
			if _, err := plain.InsertTx(ctx, tx, plainArgs{Key: key}, nil); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}
