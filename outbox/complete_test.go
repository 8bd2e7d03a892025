package outbox_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// completer completes its job in a transaction, by River's function or by ours.
type completer struct {
	river.WorkerDefaults[theirArgs]
	b *bench
}

func (w *completer) Work(ctx context.Context, job *river.Job[theirArgs]) error {
	if job.Args.Key == "acknowledged" {
		claim, err := w.b.box.Claim(ctx, w.b.pool, topic, job.Args.Key, job.ID)
		if err != nil {
			return err
		}
		_, err = w.b.box.AcknowledgeEach(ctx, w.b.pool, topic, []outbox.Acknowledgement{acknowledgement(claim.Lease)})
		return err
	}
	return pgx.BeginFunc(ctx, w.b.pool, func(tx pgx.Tx) error {
		if job.Args.Key == "ours" {
			return w.b.box.CompleteJobTx(ctx, tx, job.ID)
		}
		_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		return err
	})
}

// The outbox completes jobs itself. They are then like those that river.JobCompleteTx completes, in each column of today's
// River, but that the time is the database's; and a job that is not at work is left alone.
func TestJobsAreCompletedAsRivers(t *testing.T) {
	b := newBench(t, outbox.Config{})
	workers := river.NewWorkers()
	river.AddWorker(workers, &completer{b: b})
	client, err := river.NewClient(riverpgxv5.New(b.pool), &river.Config{
		Schema: db.DefaultRiverSchema, Workers: workers, Logger: slog.New(slog.DiscardHandler),
		Queues: map[string]river.QueueConfig{topic: {MaxWorkers: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int64{}
	for _, key := range []string{"theirs", "ours"} {
		inserted, err := client.Insert(t.Context(), theirArgs{Topic: topic, Key: key}, &river.InsertOpts{Queue: topic})
		if err != nil {
			t.Fatal(err)
		}
		ids[key] = inserted.Job.ID
	}
	b.transact(func(tx pgx.Tx) error {
		return b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLive, "acknowledged")
	})
	ids["acknowledged"] = b.row("acknowledged").jobOr(0)
	completed, unsubscribe := client.Subscribe(river.EventKindJobCompleted)
	defer unsubscribe()
	begun := b.clock()
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range ids {
		select {
		case <-completed:
		case <-time.After(time.Minute):
			t.Fatal("a job is not completed")
		}
	}
	if err := client.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ours", "acknowledged"} {
		theirs, ours := b.finished(ids["theirs"]), b.finished(ids[key])
		if diff := cmp.Diff(theirs.columns, ours.columns); diff != "" {
			t.Errorf("%s: a completed job (-River's +ours):\n%s", key, diff)
		}
		if ours.finalized.Before(begun) || ours.finalized.After(b.clock()) {
			t.Errorf("%s: a job was completed at %s, by no clock of the database", key, ours.finalized)
		}
	}

	b.exec("UPDATE river.river_job SET state = 'cancelled'")
	b.transact(func(tx pgx.Tx) error { return b.box.CompleteJobTx(t.Context(), tx, ids["ours"]) })
	equal(t, "state of a job that was cancelled", b.finished(ids["ours"]).columns["state"], "cancelled")
}

// finishedJob is a row of river_job: when it was finished, and its columns that are no times and not the key.
type finishedJob struct {
	finalized time.Time
	columns   map[string]any
}

func (b *bench) finished(id int64) (found finishedJob) {
	b.t.Helper()
	err := b.pool.QueryRow(b.t.Context(), `SELECT finalized_at,
			to_jsonb(j) - 'id' - 'args' - 'created_at' - 'scheduled_at' - 'attempted_at' - 'finalized_at'
		FROM river.river_job AS j WHERE id = $1`, id,
	).Scan(&found.finalized, &found.columns)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}
