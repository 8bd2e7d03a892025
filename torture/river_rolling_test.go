package torture

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A rolling restart under load: each process is told to stop, and its successor started, one after the other. Nobody
// notices; nor if those that stop are of the version before (-before).
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	for _, n := range sized([]int{3}, []int{2, 3}) {
		t.Run(fmt.Sprintf("%d processes", n), func(t *testing.T) {
			t.Parallel()
			seed := seed(t)
			f := newFleet(t, 40)
			f.clerk.SetFaults(clerktest.Fault{Latency: 200 * time.Millisecond}) // pushes are under way whenever one stops
			old := f.startMany(n, processConfig{path: *before})
			l := f.write(workload{writers: 8, pause: 20 * time.Millisecond, rolledBack: 0.1, several: 0.1}, seed)
			begun := time.Now()
			all, stopped := f.replace(old)
			restarted := time.Since(begun)
			l.stop()
			took := f.untilAllPushed(time.Now())

			got := f.judge(tolerance{})
			t.Logf("%d changes, %d pushes while %d processes were replaced in %s",
				got.changes, got.pushes, n, restarted.Round(time.Millisecond))
			bound(t, "duration of a stop", stopped.Round(time.Millisecond), 10*time.Second)
			bound(t, "duplicates", got.duplicates, 0)
			bound(t, "versions that went backwards", got.backwards, 0)
			bound(t, "attempts burned", f.burned(), 0)
			bound(t, "rows that a sweep had to wake", swept(all), 0)
			bound(t, "pushes given back or of unknown fate", query[int](f,
				"SELECT count(*) FROM outbox_delivery WHERE outcome <> 'applied'"), 0)
			bound(t, "every change pushed after the last", took, 10*time.Second)
		})
	}
}

// replace replaces the processes one by one, by SIGTERM. Returns all processes there ever were, and how long the slowest
// stop took.
func (f *fleet) replace(old []*process) (all []*process, slowest time.Duration) {
	f.t.Helper()
	all = append(all, old...)
	for i, p := range old {
		pushed := len(f.clerk.Requests())
		f.untilClerk("pushes", recovery, func() bool { return len(f.clerk.Requests()) > pushed+50 })
		begun := time.Now()
		p.Signal(syscall.SIGTERM)
		if code := p.Exit(); code != 0 {
			f.t.Errorf("process %d exited with %d", i, code)
		}
		slowest = max(slowest, time.Since(begun))
		f.attacked.note("process %d stopped", i)
		all = append(all, f.start(processConfig{}))
	}
	return all, slowest
}
