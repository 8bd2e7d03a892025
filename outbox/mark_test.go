package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// theirArgs is a job as River's own client inserts it.
type theirArgs struct {
	Topic string `json:"topic"`
	Key   string `json:"key"`
}

func (theirArgs) Kind() string { return "outbox_delivery" }

// traced is a waker whose jobs have metadata.
type traced struct{ outbox.Waker }

func (t traced) WakeUp(ctx context.Context) (outbox.WakeUp, error) {
	wakeUp, err := t.Waker.WakeUp(ctx)
	wakeUp.Metadata = []byte(`{"traceparent": "00-1-2-01"}`)
	return wakeUp, err
}

// The outbox inserts jobs itself. They are like those that River's own client inserts, in each column of today's River, but
// that all times are the database's.
func TestJobsAreAsRivers(t *testing.T) {
	b := newBench(t, outbox.Config{})
	client, err := river.NewClient(riverpgxv5.New(b.pool), &river.Config{Schema: db.DefaultRiverSchema})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		metadata string
		waker    outbox.Waker
	}{
		"without metadata": {"", b.waker},
		"with metadata":    {`{"traceparent": "00-1-2-01"}`, traced{b.waker}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := &bench{t: t, pool: b.pool, box: b.box, waker: test.waker}
			b.exec("TRUNCATE outbox, river.river_job CASCADE")
			opts := &river.InsertOpts{Queue: topic, Priority: int(outbox.PriorityLapse), Metadata: []byte(test.metadata)}
			theirs, err := client.Insert(t.Context(), theirArgs{Topic: topic, Key: `a "key"`}, opts)
			if err != nil {
				t.Fatal(err)
			}
			want := b.job(theirs.Job.ID)

			begun := b.clock()
			b.transact(func(tx pgx.Tx) error {
				return b.box.MarkTx(t.Context(), tx, b.waker, topic, outbox.PriorityLapse, `a "key"`)
			})
			marked := b.job(b.row(`a "key"`).jobOr(0))
			if diff := cmp.Diff(want.columns, marked.columns); diff != "" {
				t.Errorf("a mark's job (-River's +ours):\n%s", diff)
			}
			b.exec("DELETE FROM river.river_job WHERE id = $1", b.row(`a "key"`).jobOr(0))
			equal(t, "rows woken", b.sweep(), 1)
			woken := b.job(b.row(`a "key"`).jobOr(0))
			if diff := cmp.Diff(want.columns, woken.columns); diff != "" {
				t.Errorf("a sweep's job (-River's +ours):\n%s", diff)
			}
			for _, at := range []time.Time{marked.created, marked.scheduled, woken.created, woken.scheduled} {
				if at.Before(begun) || at.After(b.clock()) {
					t.Errorf("a job is of %s, by no clock of the database", at)
				}
			}
		})
	}
}

// job is a row of river_job: its times and its other columns, but for the id.
type job struct {
	created, scheduled time.Time
	columns            map[string]any
}

func (b *bench) job(id int64) (found job) {
	b.t.Helper()
	err := b.pool.QueryRow(b.t.Context(), `
		SELECT created_at, scheduled_at, to_jsonb(j) - 'id' - 'created_at' - 'scheduled_at' FROM river.river_job AS j WHERE id = $1`, id,
	).Scan(&found.created, &found.scheduled, &found.columns)
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

func (b *bench) clock() (now time.Time) {
	b.t.Helper()
	if err := b.pool.QueryRow(b.t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		b.t.Fatal(err)
	}
	return now
}

// A change and its mark in one round trip, which is a transaction: both are there, or neither.
func TestQueueMark(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.exec("CREATE TABLE theirs (id int PRIMARY KEY)")
	send := func() error {
		batch := &pgx.Batch{}
		batch.Queue("INSERT INTO theirs VALUES (1)")
		if err := b.box.QueueMark(t.Context(), batch, b.waker, topic, outbox.PriorityLive, "b", "a", "b"); err != nil {
			t.Fatal(err)
		}
		batch.Queue("INSERT INTO theirs SELECT id + 1 FROM theirs")
		return b.pool.SendBatch(t.Context(), batch).Close()
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	equal(t, "jobs", b.jobs(), 2)
	equal(t, "version", b.row("b").DesiredVersion, 1)
	if err := send(); db.Code(err) != "23505" {
		t.Fatalf("a change that violates a key: %v", err)
	}
	equal(t, "version after what failed", b.row("b").DesiredVersion, 1)

	batch := &pgx.Batch{}
	if err := b.box.QueueMark(t.Context(), batch, b.waker, topic, outbox.PriorityLive); err != nil {
		t.Fatal(err)
	}
	equal(t, "queries of a mark of nothing", batch.Len(), 0)
}
