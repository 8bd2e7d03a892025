package torture

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// mailArgs is a job of an application that has its River in the same schema.
type mailArgs struct{}

func (mailArgs) Kind() string { return "mail" }

func (mailArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "mail"} }

type mailWorker struct {
	river.WorkerDefaults[mailArgs]
	sent atomic.Int64
}

func (w *mailWorker) Work(context.Context, *river.Job[mailArgs]) error {
	w.sent.Add(1)
	return nil
}

// An application's own jobs run in the same River, 200 a second, by a client that knows neither our queue nor our kind.
// Neither touches the other's.
func TestOtherJobsInTheSameRiver(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	seed := seed(t)
	f := newFleet(t, 40)
	f.clerk.SetFaults(clerktest.Fault{Latency: 50 * time.Millisecond})
	mails := &mailWorker{}
	client := f.startClient(mails)
	processes := f.startMany(2, processConfig{})
	l := f.write(workload{writers: 8, pause: 10 * time.Millisecond, rolledBack: 0.1, several: 0.1}, seed)
	inserted := 0
	f.forAtLeast(30*time.Second, func() bool {
		if _, err := client.InsertMany(t.Context(), []river.InsertManyParams{{Args: mailArgs{}}, {Args: mailArgs{}}}); err != nil {
			t.Fatal(err)
		}
		inserted += 2
		return inserted >= 200 && l.committed.Load() >= 200
	})
	l.stop()
	took := f.untilAllPushed(time.Now())
	f.until("all mails are sent", 10*time.Second, func() bool { return mails.sent.Load() >= int64(inserted) })
	f.until("all jobs are completed", 10*time.Second, func() bool {
		return query[int](f, "SELECT count(*) FROM river.river_job WHERE state <> 'completed'") == 0
	})

	got := f.judge(tolerance{})
	t.Logf("%d mails beside %d changes and %d pushes", inserted, got.changes, got.pushes)
	if sent := int(mails.sent.Load()); sent != inserted {
		t.Errorf("%d mails sent, want %d", sent, inserted)
	}
	bound(t, "every change pushed after the last", took, 10*time.Second)
	bound(t, "mails worked by others", f.workedBy("mail", "<>", client.ID()), 0)
	bound(t, "pushes worked by the application's client", f.workedBy("outbox_delivery", "=", client.ID()), 0)
	bound(t, "attempts burned", f.burned(), 0)
	bound(t, "duplicates", got.duplicates, 0)
	bound(t, "rows that a sweep had to wake", swept(processes), 0)
}

// startClient starts the application's client.
func (f *fleet) startClient(mails *mailWorker) *river.Client[pgx.Tx] {
	f.t.Helper()
	workers := river.NewWorkers()
	river.AddWorker(workers, mails)
	client, err := river.NewClient(riverpgxv5.New(f.pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{"mail": {MaxWorkers: 20}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := client.Start(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := client.Stop(context.Background()); err != nil {
			f.t.Error(err)
		}
	})
	return client
}

// workedBy counts the jobs that were attempted by a client with that name, or with another.
func (f *fleet) workedBy(kind, comparison, client string) int {
	f.t.Helper()
	return query[int](f, `SELECT count(*) FROM river.river_job, unnest(attempted_by) AS by
		WHERE kind = $1 AND by `+comparison+` $2`, kind, client)
}

// A job of the application has been running for two minutes, which is its business. It is not for a process that does
// not know its kind to end it, even while that is River's leader and looks for stuck jobs.
func TestOthersLongJobIsLeftAlone(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	f := newFleet(t, 1)
	f.exec(`INSERT INTO river.river_job (kind, queue, args, state, attempt, max_attempts, attempted_at, attempted_by)
		VALUES ('mail', 'mail', '{}', 'running', 1, 25, now() - interval '2 minutes', '{"the application"}')`)
	f.start(processConfig{})
	f.until("a leader", recovery, func() bool {
		return query[bool](f, "SELECT EXISTS (SELECT FROM river.river_leader WHERE expires_at > now())")
	})
	// The leader looks for stuck jobs at once, and then every 30 s.
	for begun := time.Now(); time.Since(begun) < 35*time.Second; pause(t.Context(), 100*time.Millisecond) {
		if state := query[string](f, "SELECT state::text FROM river.river_job WHERE kind = 'mail'"); state != "running" {
			t.Fatalf("after %s the application's job is %s", time.Since(begun).Round(time.Millisecond), state)
		}
	}
}
