package torture

import (
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
)

// A push that takes its time, while its job is gone or is there twice: neither makes a second push.
func TestWakeUpsDuringAPush(t *testing.T) {
	t.Parallel()
	const latency = 4 * time.Second
	tests := map[string]func(f *fleet, sweeps *pgproxy.Counter){
		// The sweep sees a dirty row without a job, and its lease.
		"its job is deleted": func(f *fleet, sweeps *pgproxy.Counter) {
			f.exec("DELETE FROM river.river_job")
			before := sweeps.N()
			f.exec("UPDATE destination SET sweep_at = clock_timestamp()")
			f.until("swept", promptly, func() bool { return sweeps.N() > before })
			if n := query[int](f, "SELECT count(*) FROM river.river_job"); n != 0 {
				f.t.Errorf("a sweep inserted %d jobs for a row that is being delivered", n)
			}
		},
		// Somebody retries it, and another worker takes it.
		"its job is retried": func(f *fleet, _ *pgproxy.Counter) {
			f.exec("UPDATE river.river_job SET state = 'available', scheduled_at = now()")
			f.until("it is taken again", promptly, func() bool {
				return query[bool](f, "SELECT attempt > 1 OR state = 'scheduled' OR finalized_at IS NOT NULL FROM river.river_job")
			})
		},
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 1)
			proxy := f.proxy()
			sweeps := proxy.Count("name: DestinationSweepEnd ")
			f.startMany(2, processConfig{databaseURL: proxy.URL()})
			f.clerk.SetFaults(clerktest.Fault{Latency: latency})
			f.changeNow(f.keys...)
			f.untilClerk("a push is in flight", promptly, func() bool { return len(f.clerk.Requests()) == 1 })
			tamper(f, sweeps)
			if n := len(f.clerk.Writes()); n != 0 {
				t.Fatal("the push is over: the test proves nothing")
			}
			f.clerk.ClearFaults()
			f.settle(recovery)
			got := f.judge(tolerance{})
			bound(t, "pushes", got.pushes, 1)
			bound(t, "pushes in flight", got.inFlight, 1)
		})
	}
}
