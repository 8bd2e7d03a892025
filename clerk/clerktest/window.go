package clerktest

import "time"

// window is the state of one rate limit. Clerk does not document its algorithm; this is the strictest that fits what
// is documented: no span of the window's length holds more than the limit, and who exceeds it stays blocked until the
// announced time has passed.
type window struct {
	admitted     []time.Time // oldest first, not older than the window
	blockedUntil time.Time
}

// admit counts a request and returns 0, or returns the whole seconds for which it and its like are blocked.
func (w *window) admit(now time.Time, limit Limit) time.Duration {
	if limit.Requests < 0 {
		return 0
	}
	if now.Before(w.blockedUntil) {
		return wholeSeconds(w.blockedUntil.Sub(now))
	}
	for len(w.admitted) > 0 && !w.admitted[0].After(now.Add(-limit.Window)) {
		w.admitted = w.admitted[1:]
	}
	if len(w.admitted) < limit.Requests {
		w.admitted = append(w.admitted, now)
		return 0
	}
	wait := wholeSeconds(w.admitted[0].Add(limit.Window).Sub(now))
	w.blockedUntil = now.Add(wait)
	return wait
}

// wholeSeconds rounds up, as Retry-After has no fractions.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
