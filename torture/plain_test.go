package torture

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// plainArgs is the usual job: at most one per organization that is not done.
type plainArgs struct {
	Key string `json:"key"`
}

func (plainArgs) Kind() string { return "plain" }

func (plainArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: "plain", UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished}}
}

// unfinished is the most favourable choice: with River's default, which has completed too, there would be one job in all
// until that is cleaned away. River demands the rest.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning,
	rivertype.JobStateScheduled,
}

// plainWorker reads the current state and pushes it. What is committed between its reading and its completion meets a
// job that is not done, so it gets none of its own.
type plainWorker struct {
	river.WorkerDefaults[plainArgs]
	f     *fleet
	clerk *clerk.Client
}

func (w *plainWorker) Work(ctx context.Context, job *river.Job[plainArgs]) error {
	var tier string
	var score *int
	var insurance *bool
	err := w.f.pool.QueryRow(ctx, `SELECT certification_tier, compliance_score, insurance_valid FROM organizations
		WHERE clerk_org_id = $1`, job.Args.Key).Scan(&tier, &score, &insurance)
	if err != nil {
		return err
	}
	_, err = w.clerk.PushMetadata(ctx, job.Args.Key, clerk.Metadata{
		CertificationTier: &tier, ComplianceScore: score, InsuranceValid: insurance,
	})
	return err
}

// usePlainJobs makes the writers announce changes by unique jobs, and starts two processes' worth of workers for them.
func (f *fleet) usePlainJobs() {
	f.t.Helper()
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: f.clerk.BaseURL()})
	if err != nil {
		f.t.Fatal(err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &plainWorker{f: f, clerk: client})
	plain, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{"plain": {MaxWorkers: 64}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := plain.Start(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := plain.Stop(context.Background()); err != nil {
			f.t.Error(err)
		}
		client.CloseIdleConnections()
	})
	f.announce = func(ctx context.Context, tx pgx.Tx, _, key string) error {
		_, err := plain.InsertTx(ctx, tx, plainArgs{Key: key}, nil)
		return err
	}
}

// untilPlainJobsAreDone waits until River has nothing left to do.
func (f *fleet) untilPlainJobsAreDone(patience time.Duration) {
	f.t.Helper()
	f.until("all plain jobs are done", patience, func() bool {
		return query[int](f, `SELECT count(*) FROM river.river_job WHERE kind = 'plain' AND finalized_at IS NULL`) == 0
	})
}

// stalePlain counts the organizations of which Clerk does not have the newest state.
func (f *fleet) stalePlain() (stale int) {
	f.t.Helper()
	gather(f, `SELECT key, n FROM tally`, func(row pgx.CollectableRow) error {
		var key string
		var n int64
		err := row.Scan(&key, &n)
		organization, _ := f.clerk.Organization(key)
		if code, ok := claimsOf(json.RawMessage(organization.PublicMetadata)).code(); !ok || code != n%codes {
			stale++
		}
		return err
	})
	return stale
}
