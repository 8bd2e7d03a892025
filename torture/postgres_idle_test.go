package torture

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// idling is how long a transaction holds rows and does nothing: longer than a lease.
func idling() time.Duration { return sized(12*time.Second, time.Minute) }

// Transactions that change something and then do nothing: an application's, waiting for somebody else. Where there is
// time for that, other tests wait.
func TestIdleTransactions(t *testing.T) {
	if !*full {
		t.Parallel()
	}
	t.Run("one row", testOneRowIsHeld)
	t.Run("many rows", testManyRowsAreHeld)
}

// slowest is how long a change may take while others are held; in the short version all tests share the machine.
func slowest() time.Duration { return sized(5*time.Second, 2*time.Second) }

// A transaction changes one organization while a push of that is under way, which then cannot be recorded before the
// transaction ends. All others go on.
func testOneRowIsHeld(t *testing.T) {
	t.Parallel()
	seed := seed(t)
	f := newFleet(t, 21)
	held, others := f.keys[0], f.keys[1:]
	proxy := f.proxy()
	s := &stage{fleet: f, proxy: proxy, key: held, victim: f.start(processConfig{databaseURL: proxy.URL()})}
	f.clerk.SetFaults(clerktest.Fault{Latency: 20 * time.Millisecond})
	acknowledge := proxy.BreakBefore("OutboxAcknowledge")
	alone := proxy.BreakBefore("OutboxLock") // for that may follow before the row is held
	f.changeNow(held)
	s.await(acknowledge)
	end := f.hold(held)
	alone.Release()
	acknowledge.Release() // and there it waits

	w := f.witness(others, 4, 20*time.Millisecond, seed)
	begun := time.Now()
	f.until("the transaction was idle", 2*time.Minute, func() bool { return time.Since(begun) > idling() })
	ended := time.Now()
	end()
	w.stop()
	took := f.untilAllPushed(ended)

	got := f.judge(tolerance{})
	during := f.latencies(others, begun, ended)
	t.Logf("the others while the row was held: %s; %d duplicates, %d attempts burned", during, got.duplicates, f.burned())
	bound(t, "slowest change of another organization", during.quantile(1), slowest())
	bound(t, "the held organization pushed after the transaction's end", took, promptly)
	if query[int](f, "SELECT count(*) FROM outbox_delivery WHERE key = $1 AND outcome IN ('lost', 'fenced')", held) == 0 {
		t.Error("the row was not held for as long as a lease")
	}
}

// More rows are held than a process has workers, and each has a job that waits for it.
func testManyRowsAreHeld(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	seed := seed(t)
	rows := sized(48, 200)
	f := newFleet(t, rows+20)
	held, others := f.keys[:rows], f.keys[rows:]
	f.clerk.SetFaults(clerktest.Fault{Latency: 20 * time.Millisecond})
	f.changeNow(held...) // there is no process yet to work these jobs
	end := f.hold(held...)
	f.start(processConfig{})

	w := f.witness(others, 4, 20*time.Millisecond, seed)
	begun := time.Now()
	f.until("the transaction was idle", 2*time.Minute, func() bool { return time.Since(begun) > idling() })
	ended := time.Now()
	end()
	w.stop()
	took := f.untilAllPushed(ended)

	f.judge(tolerance{})
	during := f.latencies(others, begun, ended)
	t.Logf("the others while %d rows were held: %s; %d attempts burned", rows, during, f.burned())
	bound(t, "slowest change of another organization", during.quantile(1), slowest())
	bound(t, "the held organizations pushed after the transaction's end", took, promptly)
	bound(t, "attempts burned", f.burned(), 0)
}

// hold changes organizations in a transaction, and leaves that open. Returns what commits it.
func (f *fleet) hold(keys ...string) (commit func()) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.changeTx(f.t.Context(), tx, keys, false); err != nil {
		f.t.Fatal(err)
	}
	return func() {
		if err := tx.Commit(f.t.Context()); err != nil {
			f.t.Error(err)
		}
	}
}
