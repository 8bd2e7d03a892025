package clerktest

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	limit := Limit{Requests: 2, Window: 10 * time.Second}
	begin := time.Now()
	var w window
	steps := []struct {
		at   time.Duration
		want time.Duration
	}{
		{0, 0},
		{4500 * time.Millisecond, 0},
		{5500 * time.Millisecond, 5 * time.Second}, // until the first is 10 s old, in whole seconds
		{10200 * time.Millisecond, time.Second},    // that is 10.5 s: still blocked, though there is room
		{10500 * time.Millisecond, 0},
		{10600 * time.Millisecond, 4 * time.Second}, // 4.5 s and 10.5 s are within one window
		{14600 * time.Millisecond, 0},
		{30 * time.Second, 0},
	}
	for _, step := range steps {
		if got := w.admit(begin.Add(step.at), limit).wait; got != step.want {
			t.Errorf("at %s: blocked for %s, want %s", step.at, got, step.want)
		}
	}
	for range 5 {
		if got := w.admit(begin.Add(time.Minute), Limit{Requests: Unlimited}).wait; got != 0 {
			t.Errorf("unlimited: blocked for %s", got)
		}
	}
}

func TestFlights(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	f := newFlights()

	a := f.enter("org_1", at(0))
	f.leave(a, at(10), false)
	b := f.enter("org_1", at(20))
	f.enter("org_2", at(25))
	if got := f.max("org_1"); got != 1 {
		t.Errorf("one after the other: %d", got)
	}
	// The client of b gave up at about 1000, pushed again, and the server noticed at 1100.
	c := f.enter("org_1", at(1000))
	f.leave(b, at(1100), true)
	f.leave(b, at(9999), false)
	if got := f.max("org_1"); got != 1 {
		t.Errorf("after a client that had gone: %d", got)
	}
	// A client that pushes while its own push hangs.
	d, e := f.enter("org_1", at(2000)), f.enter("org_1", at(2100))
	if got := f.max("org_1"); got != 3 {
		t.Errorf("while three are active: %d", got)
	}
	f.leave(d, at(2200), false)
	f.leave(c, at(5000), true)
	f.leave(e, at(5000), true)
	if got := f.max("org_1"); got != 3 {
		t.Errorf("ever: %d", got)
	}
	if len(f.active) != 1 {
		t.Errorf("still active: %v", f.active)
	}
}
