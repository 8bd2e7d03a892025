package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	failed := &outbox.Failure{Action: outbox.Retry, Err: errors.New("busy")}
	tests := map[string]struct {
		prepare func(b *bench)
		woken   int
	}{
		"job waits": {func(*bench) {}, 0},
		"job deleted": {func(b *bench) {
			b.exec("DELETE FROM river.river_job")
		}, 1},
		"job cancelled": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'cancelled', finalized_at = now()")
		}, 1},
		"job discarded": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'discarded', finalized_at = now()")
		}, 1},
		"job completed without a look at the row": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'completed', finalized_at = now()")
		}, 1},
		"row without a job, by a foreign writer": {func(b *bench) {
			b.exec("UPDATE outbox SET job_id = NULL")
			b.exec("DELETE FROM river.river_job")
		}, 1},
		"job retryable soon": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'retryable', scheduled_at = now() + interval '2 seconds'")
		}, 0},
		"job retryable tomorrow": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'retryable', scheduled_at = now() + interval '1 day'")
		}, 1},
		"job waits in a backlog": {func(b *bench) {
			b.exec("UPDATE river.river_job SET scheduled_at = now() - interval '1 hour'")
		}, 0},
		"job available in an hour, by a process with a wrong clock": {func(b *bench) {
			b.exec("UPDATE river.river_job SET scheduled_at = now() + interval '1 hour'")
		}, 1},
		"job due a minute ago, and nobody makes it available": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'scheduled', scheduled_at = now() - interval '1 minute'")
		}, 1},
		"job just fetched": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'running', attempted_at = now()")
		}, 0},
		"job fetched by a process that died before it claimed": {func(b *bench) {
			b.exec("UPDATE river.river_job SET state = 'running', attempted_at = now() - interval '9 seconds'")
		}, 1},
		"at work": {func(b *bench) {
			b.lease("a")
			b.exec("UPDATE river.river_job SET state = 'running', attempted_at = now() - interval '1 minute'")
		}, 0},
		"lease expired": {func(b *bench) {
			b.lease("a")
			b.exec("UPDATE outbox SET lease_expires_at = clock_timestamp() - interval '1 ms'")
			b.exec("UPDATE river.river_job SET state = 'running', attempted_at = now() - interval '9 seconds'")
		}, 1},
		"waiting after a failure": {func(b *bench) {
			b.release(b.lease("a"), failed, time.Minute)
			b.exec("DELETE FROM river.river_job")
		}, 0},
		"clean": {func(b *bench) {
			b.acknowledge(b.lease("a"))
			b.exec("DELETE FROM river.river_job")
		}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, outbox.Config{})
			b.mark("a")
			test.prepare(b)
			equal(t, "rows woken", b.sweep(), test.woken)
			equal(t, "rows woken by a second sweep", b.sweep(), 0)
			if test.woken > 0 {
				b.acknowledge(b.lease("a"))
			}
		})
	}
}

// Of several processes only one sweeps per interval.
func TestSweepTakesTurns(t *testing.T) {
	b := newBench(t, outbox.Config{})
	lose := func() { b.exec("DELETE FROM river.river_job") }
	b.mark("a")
	lose()
	equal(t, "first sweep", b.sweepIfDue(time.Minute), 1)
	lose()
	equal(t, "sweep within the pause", b.sweepIfDue(time.Minute), 0)
	equal(t, "sweep after the pause", b.sweep(), 1)
}

// A process that was stopped in the middle of a sweep for longer than its turn does not put off the sweeps of others.
func TestStoppedSweepEndsNothing(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.exec("DELETE FROM river.river_job")
	waker := interrupted{b.waker, func() { b.exec("UPDATE destination SET sweep_at = '2100-01-01'") }}
	if _, err := b.box.Sweep(t.Context(), b.pool, waker, topic, 0); err != nil {
		t.Fatal(err)
	}
	var at time.Time
	if err := b.pool.QueryRow(t.Context(), "SELECT sweep_at FROM destination").Scan(&at); err != nil {
		t.Fatal(err)
	}
	equal(t, "year in which the other's turn ends", at.Year(), 2100)
}

// However long a sweep took, a killed process's keys do not wait for the next beyond what the 20 s after a kill leave.
func TestSweepPauseIsBounded(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.mark("a")
	b.exec("DELETE FROM river.river_job")
	slow := interrupted{b.waker, func() { time.Sleep(time.Second) }} // nine times as long would be 9 s
	if _, err := b.box.Sweep(t.Context(), b.pool, slow, topic, 0); err != nil {
		t.Fatal(err)
	}
	var pause time.Duration
	if err := b.pool.QueryRow(t.Context(), "SELECT sweep_at - clock_timestamp() FROM destination").Scan(&pause); err != nil {
		t.Fatal(err)
	}
	if pause > 8*time.Second {
		t.Errorf("the next sweep is in %s, want 8 s at most", pause)
	}
}

// interrupted is a waker during whose work something else happens.
type interrupted struct {
	outbox.Waker
	meanwhile func()
}

func (i interrupted) WakeUp(ctx context.Context) (outbox.WakeUp, error) {
	i.meanwhile()
	return i.Waker.WakeUp(ctx)
}

// More rows than one transaction takes.
func TestSweepManyRows(t *testing.T) {
	b := newBench(t, outbox.Config{})
	b.exec(`INSERT INTO outbox (topic, key, dirty_since) SELECT $1, 'k' || i, now() FROM generate_series(1, 1201) i`, topic)
	equal(t, "rows woken", b.sweep(), 1201)
	equal(t, "jobs", b.jobs(), 1201)
}

// An embedding application may have its River elsewhere.
func TestSweepOfAnotherRiverSchema(t *testing.T) {
	const schema = "their_jobs"
	b := newBench(t, outbox.Config{RiverSchema: schema})
	if err := db.Migrate(t.Context(), b.pool, db.MigrateConfig{RiverSchema: schema}); err != nil {
		t.Fatal(err)
	}
	b.waker = newWaker(t, b.pool, schema)
	b.mark("a")
	equal(t, "rows woken while the job is there", b.sweep(), 0)
	b.exec("DELETE FROM their_jobs.river_job")
	equal(t, "rows woken", b.sweep(), 1)
	equal(t, "jobs in the default schema", b.jobs(), 0)
}
