package torture

import (
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/jobs"
)

// One of two processes is told to stop while it is pushing. It ends what is under way and leaves nothing behind.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	tests := map[string]clerktest.Fault{
		"Clerk is slow": {Latency: 2 * time.Second},
		"Clerk hangs":   {Effect: clerktest.Hang},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 80)
			stopped := f.startFirst(processConfig{})
			f.start(processConfig{})
			f.clerk.SetFaults(fault)
			l := f.write(workload{writers: 4, pause: 20 * time.Millisecond, rolledBack: 0.1, several: 0.1}, seed(t))
			// One that has fallen silent does not get many.
			f.until("pushes are in flight", recovery, func() bool { return stopped.inFlight() >= 4 })

			inFlight, begun := stopped.inFlight(), time.Now()
			stopped.Signal(syscall.SIGTERM)
			code := stopped.Exit()
			took := time.Since(begun)
			leases, running := stopped.leases(), stopped.running()

			f.clerk.ClearFaults()
			l.stop()
			f.untilAllPushed(begun)
			got := f.judge(tolerance{})
			t.Logf("stopped with %d pushes in flight, under %d changes", inFlight, got.changes)
			bound(t, "exit after SIGTERM", took.Round(time.Millisecond), jobs.DefaultDeliveryTimeout+3*time.Second)
			bound(t, "exit code", code, 0)
			bound(t, "leases left behind", leases, 0)
			bound(t, "jobs left running", running, 0)
			bound(t, "leases that expired", f.recorded("lost"), 0)
			bound(t, "attempts of a job", query[int](f, `SELECT max(attempt) FROM river.river_job WHERE kind = 'outbox_delivery'`), 1)
			if why := query[*string](f, `SELECT min(errors[1]->>'error') FROM river.river_job`); why != nil {
				t.Logf("an attempt failed: %s", *why)
			}
			bound(t, "duplicates", got.duplicates, 0)
		})
	}
}

// recorded is how many deliveries ended like that.
func (f *fleet) recorded(outcome string) int {
	f.t.Helper()
	return query[int](f, `SELECT count(*) FROM outbox_delivery WHERE outcome = $1::delivery_outcome`, outcome)
}
