package clerktest

import "time"

// window is the state of one rate limit. Clerk does not document its algorithm; this is the strictest that fits what
// is documented: no span of the window's length holds more than the limit, and who exceeds it stays blocked until the
// announced time has passed. What is refused neither counts nor makes the block longer.
type window struct {
	admitted     []time.Time // oldest first, not older than the window
	blockedUntil time.Time
}

// verdict is what a window says to a request. The zero value lets it pass.
type verdict struct {
	wait    time.Duration // in whole seconds, at least as long as the block
	until   time.Time     // the end of the block
	inBlock bool          // the block was there before the request
}

func (v verdict) refused() bool { return v.wait > 0 }

// admit counts a request, or refuses it. The times of successive calls must not go backwards.
func (w *window) admit(now time.Time, limit Limit) verdict {
	if now.Before(w.blockedUntil) {
		return verdict{wait: roundUp(w.blockedUntil.Sub(now), time.Second), until: w.blockedUntil, inBlock: true}
	}
	if limit.Requests < 0 {
		return verdict{}
	}
	w.forget(now, limit)
	if len(w.admitted) < limit.Requests {
		w.admitted = append(w.admitted, now)
		return verdict{}
	}
	// More than the limit are in the window if it has just been lowered.
	room := w.admitted[len(w.admitted)-limit.Requests].Add(limit.Window)
	return w.block(now, room.Sub(now))
}

// block refuses everything for the duration, rounded up to what Retry-After can say.
func (w *window) block(now time.Time, d time.Duration) verdict {
	wait := roundUp(d, time.Second)
	w.blockedUntil = later(w.blockedUntil, now.Add(wait))
	return verdict{wait: wait, until: w.blockedUntil}
}

// forget drops what is as old as the window: its end does not belong to it.
func (w *window) forget(now time.Time, limit Limit) {
	for len(w.admitted) > 0 && !w.admitted[0].After(now.Add(-limit.Window)) {
		w.admitted = w.admitted[1:]
	}
}

// roundUp rounds up to whole units.
func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1).Truncate(unit) }
