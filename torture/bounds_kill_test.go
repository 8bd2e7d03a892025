package torture

import (
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// One of two processes is killed with a hundred pushes in flight, and does not come back. The other one pushes again
// what was in flight there, and nothing else.
func TestKilledWithHundredInFlight(t *testing.T) {
	t.Parallel()
	const pushes = 100
	tests := map[string]struct {
		victim, other string // how many each pushes at once
		least         int    // of the pushes in flight are the victim's
	}{
		"shared by both":         {"--max-workers=64", "--max-workers=64", 36},
		"nearly all at the dead": {"--max-workers=96", "--max-workers=16", 84},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if name != "shared by both" {
				fullOnly(t)
			}
			t.Parallel()
			f := newFleet(t, pushes)
			victim := f.startFirst(processConfig{flags: []string{test.victim}})
			f.start(processConfig{flags: []string{test.other}})
			// Else the kill would prove nothing.
			var atVictim int
			f.until("most are in flight at the victim", 3*recovery, func() bool {
				f.allInFlight()
				atVictim = victim.inFlight()
				return atVictim >= test.least*9/10 && f.inFlight() >= pushes*9/10
			})
			killed := time.Now()
			victim.Kill()
			f.clerk.SetFaults(clerktest.Fault{Latency: 300 * time.Millisecond}) // Clerk as it is
			took := f.untilAllPushed(killed)
			got := f.judge(tolerance{})

			// On a busy machine the pushes of the other one may take too long as well. Those are not the kill's.
			slow := f.recorded("ambiguous")
			t.Logf("killed with %d of %d pushes in flight; %d others took too long", atVictim, pushes, slow)
			bound(t, "all pushed after the kill", took, recovery)
			bound(t, "pushes made twice, of those in flight at the dead", got.duplicates-slow, atVictim)
			bound(t, "most pushes of one organization in flight", got.inFlight, 1)
		})
	}
}

// allInFlight changes all organizations, and returns when the pushes of all are in flight at once: where the machine is
// too busy to have the last one begin before the first one ends, it changes them again.
func (f *fleet) allInFlight() {
	f.t.Helper()
	f.clerk.SetFaults(clerktest.Fault{Latency: 2 * time.Second})
	f.until("all are in flight", 3*recovery, func() bool {
		if f.dirty() == 0 {
			f.changeNow(f.keys...)
		}
		return f.inFlight() == len(f.keys)
	})
}
