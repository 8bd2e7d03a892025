package torture

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A transaction that has read something stays open for minutes, as a report or a backup does. No row version that it
// might still see can be removed: those of the rows and jobs of every push since then. The pushes must not slow down.
func TestSnapshotIsHeld(t *testing.T) {
	fullOnly(t) // and not in parallel: it compares latencies
	const before, with, after = 10 * time.Second, 90 * time.Second, 10 * time.Second
	seed := seed(t)
	f := newFleet(t, 200)
	f.clerk.SetFaults(clerktest.Fault{Latency: 20 * time.Millisecond})
	processes := f.startMany(2, processConfig{})
	w := f.witness(f.keys, 8, 20*time.Millisecond, seed)

	without := f.measure("before the snapshot", before)
	release := f.snapshot()
	held := f.measure("while it is held", with)
	release()
	f.measure("after it", after)
	w.stop()
	settled := f.settle(10 * time.Second)

	got := f.judge(tolerance{})
	t.Logf("%d changes, %d pushes; settled after %s", got.changes, got.pushes, settled.Round(time.Millisecond))
	bound(t, "p99 while the snapshot is held, at its end", held.quantile(0.99), 3*without.quantile(0.99)+100*time.Millisecond)
	bound(t, "duplicates", got.duplicates, 0)
	bound(t, "rows that a sweep had to wake", swept(processes), 0)
}

// measure returns the latencies in the last ten seconds of a time, and tells what the tables look like then.
func (f *fleet) measure(when string, lasting time.Duration) latencies {
	f.t.Helper()
	begun := time.Now()
	f.until("measured "+when, lasting+time.Minute, func() bool { return time.Since(begun) > lasting })
	now := time.Now()
	// The latest changes may be under way.
	measured := f.latencies(f.keys, now.Add(-10*time.Second), now.Add(-time.Second))
	f.t.Logf("%s: %s; %s; %s", when, measured, f.bloat("outbox"), f.bloat("river.river_job"))
	return measured
}

func (f *fleet) bloat(table string) string {
	f.t.Helper()
	return query[string](f, fmt.Sprintf(`
		SELECT format('%%s has %%s dead rows beside %%s, and %%s of table and %%s of indexes', relid::regclass,
			n_dead_tup, n_live_tup, pg_size_pretty(pg_table_size(relid)), pg_size_pretty(pg_indexes_size(relid)))
		FROM pg_stat_user_tables WHERE relid = '%s'::regclass`, table))
}

// snapshot opens a transaction that has read something. Returns what ends it.
func (f *fleet) snapshot() (release func()) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.BeginTx(f.t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := tx.Exec(f.t.Context(), "SELECT FROM outbox"); err != nil {
		f.t.Fatal(err)
	}
	return func() {
		if err := tx.Commit(f.t.Context()); err != nil {
			f.t.Error(err)
		}
	}
}
