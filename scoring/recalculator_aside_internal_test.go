package scoring

import (
	"testing"
	"testing/synctest"
	"time"
)

// What somebody holds is left for longer each time, and what was not held for a while is new.
func TestAsideHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := aside{left: map[string]leftAside{}}
		for _, want := range []time.Duration{2, 4, 8, 16, 16} {
			a.leave("a")
			time.Sleep(want*time.Second - 1)
			if len(a.skipped()) != 1 {
				t.Errorf("not left for %d s", want)
			}
			time.Sleep(time.Nanosecond)
			if len(a.skipped()) != 0 {
				t.Errorf("left for longer than %d s", want)
			}
		}
		time.Sleep(2*asideHeldMost + 1)
		if a.skipped(); len(a.left) != 0 {
			t.Errorf("not forgotten: %+v", a.left)
		}
	})
}
