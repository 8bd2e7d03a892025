package clerktest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The rule, for requests at any times: no span of the window's length holds more than the limit; who exceeds it is
// blocked for the announced whole seconds, exactly; what is refused neither counts nor makes the block longer.
func TestWindowRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{Requests: rapid.IntRange(1, 5).Draw(t, "limit"), Window: 4500 * time.Millisecond}
		now := time.Unix(1_800_000_000, 0)
		var w window
		var admitted []time.Time
		var blockedUntil time.Time
		for range rapid.IntRange(1, 80).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "gap")) * 250 * time.Millisecond)
			inSpan := 0
			for _, at := range admitted {
				if now.Sub(at) < limit.Window {
					inSpan++
				}
			}
			inBlock, full := now.Before(blockedUntil), inSpan >= limit.Requests
			v := w.admit(now, limit)
			switch {
			case v.refused() != (inBlock || full):
				t.Fatalf("refused %v, in a block %v, full %v", v.refused(), inBlock, full)
			case !v.refused():
				admitted = append(admitted, now)
				continue
			case v.inBlock != inBlock || v.wait%time.Second != 0 || v.until.After(now.Add(v.wait)):
				t.Fatalf("%+v, in a block %v", v, inBlock)
			case !inBlock:
				oldest := admitted[len(admitted)-limit.Requests]
				wait := roundUp(oldest.Add(limit.Window).Sub(now), time.Second)
				if v.wait != wait || !v.until.Equal(now.Add(wait)) {
					t.Fatalf("%+v, want %s", v, wait)
				}
				blockedUntil = v.until
			case !v.until.Equal(blockedUntil):
				t.Fatalf("the block was moved to %s, from %s", v.until, blockedUntil)
			}
		}
	})
}

// A limit that is lowered while more is in the window waits for all that is too much.
func TestWindowLowered(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	var w window
	for i := range 4 {
		w.admit(begin.Add(time.Duration(i)*time.Second), Limit{Requests: 4, Window: 10 * time.Second})
	}
	lowered := Limit{Requests: 2, Window: 10 * time.Second}
	if got := w.admit(begin.Add(4*time.Second), lowered).wait; got != 8*time.Second {
		t.Errorf("blocked for %s, want until the third is 10 s old", got)
	}
	if got := w.admit(begin.Add(12*time.Second), lowered); got.refused() {
		t.Errorf("%+v", got)
	}
}

// A block that is set does not end earlier than one that was there.
func TestWindowBlocksTwice(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	var w window
	w.block(begin, 10*time.Second)
	w.block(begin.Add(time.Second), time.Second)
	if got := w.admit(begin.Add(9*time.Second), Limit{Requests: Unlimited}); got.wait != time.Second || !got.inBlock {
		t.Errorf("%+v", got)
	}
}
