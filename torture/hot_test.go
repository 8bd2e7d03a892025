package torture

import (
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// As many changes as the machine can commit to a few organizations, while nothing fails. Beside it, the plain approach
// under the same load: it has to lose updates, or else this judge could not see any.
func TestHot(t *testing.T) {
	t.Parallel()
	const organizations, latency = 20, 50 * time.Millisecond
	seed, lasting := seed(t), sized(4*time.Second, 10*time.Second)
	hot := workload{writers: 16, rolledBack: 0.1, several: 0.1}
	run := func(f *fleet) *load {
		f.clerk.SetFaults(clerktest.Fault{Latency: latency})
		l := f.write(hot, seed)
		time.Sleep(lasting)
		l.stop()
		return l
	}
	t.Run("outbox", func(t *testing.T) {
		f := newFleet(t, organizations)
		processes := f.startMany(2, processConfig{})
		l := run(f)
		settled := f.settle(10 * time.Second)
		got := f.judge(tolerance{})
		t.Logf("%d changes in %d transactions, %d rolled back: %d pushes, settled %s after the last",
			got.changes, l.committed.Load(), l.rolledBack.Load(), got.pushes, settled.Round(time.Millisecond))
		bound(t, "stale organizations", got.wrong, 0)
		bound(t, "most pushes of one organization in flight", got.inFlight, 1)
		bound(t, "versions that went backwards", got.backwards, 0)
		bound(t, "duplicates", got.duplicates, 0)
		bound(t, "River inserts beyond one per push", got.jobs-got.pushes, 0)
		bound(t, "rows that a sweep had to wake", swept(processes), 0)
	})
	t.Run("plain", func(t *testing.T) {
		fullOnly(t)
		f := newFleet(t, organizations)
		f.usePlainJobs()
		l := run(f)
		f.untilPlainJobsAreDone(20 * time.Second)
		stale := f.stalePlain()
		t.Logf("a unique River job per organization: %d transactions, %d of %d organizations stale for good",
			l.committed.Load(), stale, organizations)
		if stale == 0 {
			t.Error("nothing was lost: this run proves nothing about the outbox either")
		}
	})
}
