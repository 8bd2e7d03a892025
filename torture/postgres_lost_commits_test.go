package torture

import (
	"fmt"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
)

// losses sum up what several proxies lost.
type losses []*pgproxy.Losses

func (all losses) stop() {
	for _, l := range all {
		l.Stop()
	}
}

func (all losses) count() (before, after int) {
	for _, l := range all {
		before, after = before+l.Before(), after+l.After()
	}
	return before, after
}

func (all losses) enough() bool {
	before, after := all.count()
	return before >= 10 && after >= 10
}

func (all losses) String() string {
	before, after := all.count()
	return fmt.Sprintf("%d and %d", before, after)
}

// A fifth of all commits is lost together with its connection: half before the server knows of it, half before the
// client knows that it succeeded. Claims and acknowledgements, which commit by themselves, are lost too. Nobody can tell the
// halves apart, so some pushes are repeated; each is on record.
func TestCommitsAreLost(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	seed := seed(t)
	direct := &fleet{t: t, url: dbtest.URL(t)}
	writers, workers := direct.proxy(), direct.proxy()
	f := newFleetOn(t, writers.URL(), 40)
	f.clerk.SetFaults(clerktest.Fault{Latency: 20 * time.Millisecond})
	processes := f.startMany(2, processConfig{databaseURL: workers.URL()})

	ofWriters := losses{writers.LoseCommits(0.2, seed)}
	ofWorkers := losses{
		workers.LoseCommits(0.2, seed+1), workers.Lose("OutboxClaim", 0.05, seed+2), workers.Lose("OutboxAcknowledge", 0.05, seed+3),
	}
	l := f.write(workload{writers: 8, pause: 5 * time.Millisecond, rolledBack: 0.1, several: 0.2, tolerateFault: true}, seed)
	f.forAtLeast(30*time.Second, func() bool { return ofWriters.enough() && ofWorkers.enough() })
	l.stop()
	ofWriters.stop()
	ofWorkers.stop()
	over := time.Now()
	f.pool.Reset()
	pushed := f.untilAllPushed(over)

	got := f.judge(tolerance{})
	t.Logf("%d changes, %d commits confirmed, %d failed; %d pushes, %d duplicates, %d verifications; %d rows woken by sweeps",
		got.changes, l.committed.Load(), l.failed.Load(), got.pushes, got.duplicates, got.verifications, swept(processes))
	bound(t, "every change pushed after the last loss", pushed, recovery)
	bound(t, "most pushes of one organization in flight", got.inFlight, 1)
	bound(t, "versions that went backwards", got.backwards, 0)
	t.Logf("lost before and after the server executed them: %s of the writers, %s of the workers", ofWriters, ofWorkers)
	if lost := query[int](f, "SELECT count(*) FROM outbox_delivery WHERE outcome = 'lost'"); lost == 0 {
		t.Error("no delivery was lost with its commit")
	}
}
