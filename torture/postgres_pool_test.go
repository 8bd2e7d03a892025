package torture

import (
	"fmt"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A process with 32 workers has only a connection or two. All is slower, and right.
func TestPoolIsExhausted(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	for _, connections := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("%d connections", connections), func(t *testing.T) {
			t.Parallel()
			seed := seed(t)
			f := newFleet(t, 100)
			f.clerk.SetFaults(clerktest.Fault{Latency: 50 * time.Millisecond})
			p := f.start(processConfig{databaseURL: fmt.Sprintf("%s&pool_max_conns=%d", f.url, connections)})
			begun := time.Now()
			w := f.witness(f.keys, 16, 10*time.Millisecond, seed)
			f.forAtLeast(30*time.Second, func() bool { return len(f.clerk.Writes()) > 100 })
			w.stop()
			over := time.Now()
			took := f.untilAllPushed(over)

			got := f.judge(tolerance{})
			t.Logf("%d changes, %d pushes; %s", got.changes, got.pushes, f.latencies(f.keys, begun, over))
			bound(t, "attempts burned", f.burned(), 0)
			bound(t, "deliveries with another outcome than applied", query[int](f,
				"SELECT count(*) FROM outbox_delivery WHERE outcome <> 'applied'"), 0)
			bound(t, "duplicates", got.duplicates, 0)
			bound(t, "rows that a sweep had to wake", swept([]*process{p}), 0)
			bound(t, "every change pushed after the last", took, recovery)
		})
	}
}
