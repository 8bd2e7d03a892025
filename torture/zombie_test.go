package torture

import (
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// A process is stopped for longer than its lease, and goes on when another one has pushed something newer. Its result
// is refused, and if its old state has landed over the newer one, the newest lands over that.
func TestZombie(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stop      func(s *stage) (resume func())
		backwards int // old states that land over newer ones, at least
		fenced    int
	}{
		// Its state is read, but its deadline has passed when it comes to send it: hardly ever does it slip through.
		"stopped before sending": {func(s *stage) func() {
			read := s.proxy.BreakAfter("OrganizationClaims")
			s.changeNow(s.key)
			s.await(read)
			s.victim.Signal(syscall.SIGSTOP)
			return read.Release
		}, 0, 1},
		// Its push was confirmed, and it was about to say so.
		"stopped before the acknowledgement": {func(s *stage) func() {
			acknowledge := s.proxy.BreakBefore("OutboxAcknowledge")
			s.changeNow(s.key)
			s.await(acknowledge)
			s.victim.Signal(syscall.SIGSTOP)
			return acknowledge.Release
		}, 0, 1},
		// Its push is still on its way, and lands last.
		"stopped while its push is under way": {func(s *stage) func() {
			s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Late, Delay: outlasting + 3*time.Second, Count: 1})
			s.changeNow(s.key)
			s.untilClerk("sent", promptly, func() bool { return len(s.clerk.Requests()) == 1 })
			s.victim.Signal(syscall.SIGSTOP)
			return func() {}
		}, 1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, false)
			other := s.start(processConfig{})
			other.Signal(syscall.SIGSTOP) // so that the victim gets the job
			resume := test.stop(s)
			stopped := time.Now()
			other.Signal(syscall.SIGCONT)
			s.changeNow(s.key)
			s.until("the newer state is pushed", recovery, func() bool {
				writes := s.clerk.Writes()
				return len(writes) > 0 && writes[len(writes)-1].Version == 2
			})
			s.until("the lease has been over for long", recovery, func() bool { return time.Since(stopped) > outlasting })
			s.victim.Signal(syscall.SIGCONT)
			resume()
			s.until("the zombie has been told", recovery, func() bool {
				return query[int](s.fleet, "SELECT count(*) FROM outbox_delivery WHERE outcome = 'fenced'") == test.fenced
			})
			// Where the first look back finds what has landed, the second one, 30 s after the doubt, is what confirms.
			s.until("what was under way has landed", 3*recovery, func() bool {
				return query[int](s.fleet, "SELECT count(*) FROM outbox_delivery WHERE outcome = 'verified'") > 0 &&
					len(s.clerk.Writes()) >= 1+2*test.backwards
			})
			s.settle(recovery)
			got := s.judge(tolerance{zombies: true})
			if got.backwards < test.backwards {
				t.Error("the old state did not land over the newer one: the test proves nothing")
			}
			if n := query[int](s.fleet, "SELECT count(*) FROM outbox_delivery WHERE outcome = 'applied' AND version = 1"); n != 0 {
				t.Error("the zombie's acknowledgement was accepted")
			}
		})
	}
}

// outlasting is longer than a lease and a sweep.
const outlasting = 11 * time.Second
