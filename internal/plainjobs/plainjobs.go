// Package plainjobs is what the outbox is compared with: the usual way to push changes by River alone, a unique job per
// organization whose worker calls Clerk once and leaves the rest to River.
package plainjobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// Kind is the jobs' kind, as river_job has it.
const Kind = "plain"

const queue = "plain"

// args is the usual job: at most one per organization that is not done.
type args struct {
	Key string `json:"key"`
}

func (args) Kind() string { return Kind }

func (args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished}}
}

// unfinished is the most favourable choice: River's default has completed too, and an organization would be pushed once
// until its job is cleaned away, a day later. River demands the rest.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning,
	rivertype.JobStateScheduled,
}

// worker reads the current state and pushes it. What is committed between its reading and its completion meets a job
// that is not done, so it gets none of its own.
type worker struct {
	river.WorkerDefaults[args]
	pool  *pgxpool.Pool
	clerk *clerk.Client
}

func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	var tier *string
	var score *int
	var insurance *bool
	err := w.pool.QueryRow(ctx, `SELECT certification_tier::text, compliance_score, insurance_valid FROM organizations
		WHERE clerk_org_id = $1`, job.Args.Key).Scan(&tier, &score, &insurance)
	if err != nil {
		return err
	}
	_, err = w.clerk.PushMetadata(ctx, job.Args.Key, clerk.Metadata{
		CertificationTier: tier, ComplianceScore: score, InsuranceValid: insurance,
	})
	return err
}

// Inserter inserts the jobs.
type Inserter struct {
	river *river.Client[pgx.Tx]
}

// NewInserter returns an Inserter that works nothing, with River's default settings.
func NewInserter(pool *pgxpool.Pool) (*Inserter, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("configuring plain River: %w", err)
	}
	return &Inserter{client}, nil
}

// Jobs inserts the jobs, and works them until it is stopped.
type Jobs struct {
	Inserter
	clerk *clerk.Client
}

// Config is how jobs are worked.
type Config struct {
	Workers       int
	FetchCooldown time.Duration // River's own by default
}

// Start works jobs, on a migrated database and an emulated Clerk. The caller stops them: the end of ctx does not.
func Start(ctx context.Context, pool *pgxpool.Pool, baseURL string, config Config) (*Jobs, error) {
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: baseURL})
	if err != nil {
		return nil, err
	}
	registered := river.NewWorkers()
	river.AddWorker(registered, &worker{pool: pool, clerk: client})
	plain, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler), Workers: registered,
		Queues: map[string]river.QueueConfig{queue: {MaxWorkers: config.Workers, FetchCooldown: config.FetchCooldown}},
	})
	if err != nil {
		return nil, fmt.Errorf("configuring plain River: %w", err)
	}
	// Not ctx, whose end would stop it ungracefully.
	if err := plain.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("starting plain River: %w", err)
	}
	return &Jobs{Inserter{plain}, client}, nil
}

// AnnounceTx inserts in tx the jobs of organizations that changed, of those that have none.
func (j *Inserter) AnnounceTx(ctx context.Context, tx pgx.Tx, keys ...string) error {
	for _, key := range keys {
		if _, err := j.river.InsertTx(ctx, tx, args{Key: key}, nil); err != nil {
			return fmt.Errorf("inserting the plain job of %s: %w", key, err)
		}
	}
	return nil
}

// Stop cancels the jobs under way, whose calls may hang, and returns when nothing runs any more, or with ctx's error.
func (j *Jobs) Stop(ctx context.Context) error {
	err := j.river.StopAndCancel(ctx)
	j.clerk.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("stopping plain River: %w", err)
	}
	return nil
}
