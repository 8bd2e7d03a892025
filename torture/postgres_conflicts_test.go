package torture

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// Callers mark at REPEATABLE READ and SERIALIZABLE, several organizations in any order: they meet serialization failures
// and deadlocks, which are theirs to retry, and nothing else. What the workers record is not lost by it.
func TestCallersConflict(t *testing.T) {
	t.Parallel()
	seed := seed(t)
	f := newFleet(t, 10) // few, so that they collide
	// A deadlock stops everybody behind it until it is found, after a second by default.
	f.exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''10ms''', current_database()); END $$`)
	f.pool.Reset()
	f.clerk.SetFaults(clerktest.Fault{Latency: 20 * time.Millisecond})
	processes := f.startMany(2, processConfig{})
	var met atomic.Int64 // serialization failures between a mark and a worker's record
	f.announce = func(ctx context.Context, tx pgx.Tx, id, key string) error {
		err := f.mark(ctx, tx, id, key)
		if db.Code(err) == "40001" {
			met.Add(1)
		}
		return err
	}
	before := f.deadlocks()
	l := f.write(workload{
		writers: 8, pause: time.Millisecond, rolledBack: 0.1, several: 0.3, isolated: 0.3, outOfOrder: 0.5,
	}, seed)
	f.forAtLeast(sized(4*time.Second, 30*time.Second), func() bool { return f.deadlocks() > before+3 && met.Load() > 3 })
	l.stop()
	took := f.untilAllPushed(time.Now())

	got := f.judge(tolerance{})
	deadlocks := f.deadlocks() - before
	t.Logf("%d changes, %d transactions, %d conflicts; %d deadlocks, %d marks of a row that a worker wrote; %d pushes",
		got.changes, l.committed.Load(), l.conflicts.Load(), deadlocks, met.Load(), got.pushes)
	bound(t, "callers that failed otherwise", l.failed.Load(), 0)
	bound(t, "deliveries with another outcome than applied", query[int](f,
		"SELECT count(*) FROM outbox_delivery WHERE outcome <> 'applied'"), 0)
	bound(t, "attempts burned", f.burned(), 0)
	bound(t, "duplicates", got.duplicates, 0)
	bound(t, "rows that a sweep had to wake", swept(processes), 0)
	bound(t, "every change pushed after the last", took, 10*time.Second)
}

// deadlocks is how many the database has found.
func (f *fleet) deadlocks() int {
	f.t.Helper()
	return query[int](f, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
}

// burned is how many attempts of jobs ended with an error.
func (f *fleet) burned() int {
	f.t.Helper()
	return query[int](f, "SELECT coalesce(sum(cardinality(errors)), 0) FROM river.river_job WHERE kind = 'outbox_delivery'")
}
