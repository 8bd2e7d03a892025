package main

import (
	"net/http"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// calls are what Clerk was asked, in the order of arrival.
type calls []clerktest.Request

func (f *fleet) calls() calls { return f.clerk.Requests() }

// which are those that match.
func (c calls) which(matches func(clerktest.Request) bool) calls {
	var matching calls
	for _, request := range c {
		if matches(request) {
			matching = append(matching, request)
		}
	}
	return matching
}

// since are those that began then or later, and until those that began before.
func (c calls) since(at time.Time) calls {
	return c.which(func(r clerktest.Request) bool { return !r.Started.Before(at) })
}

func (c calls) until(at time.Time) calls {
	return c.which(func(r clerktest.Request) bool { return r.Started.Before(at) })
}

// writes are those that were to change something.
func (c calls) writes() calls {
	return c.which(func(r clerktest.Request) bool { return r.Method == http.MethodPatch })
}

// pushes are the writes that were accepted.
func (c calls) pushes() calls {
	return c.writes().which(func(r clerktest.Request) bool { return r.Status == http.StatusOK })
}

// tooMany are those that a rate limit refused.
func (c calls) tooMany() calls {
	return c.which(func(r clerktest.Request) bool { return r.Status == http.StatusTooManyRequests })
}

func (c calls) of(key string) calls {
	return c.which(func(r clerktest.Request) bool { return r.Organization == key })
}

// span is the time from the first to the last; 0 if there are none.
func (c calls) span() time.Duration {
	if len(c) == 0 {
		return 0
	}
	return c[len(c)-1].Started.Sub(c[0].Started)
}

// rate is how many of them there are a second.
func (c calls) rate() float64 { return float64(len(c)) / c.span().Seconds() }

// most is the highest number of them in any span of that length.
func (c calls) most(length time.Duration) (most int) {
	first := 0
	for i, request := range c {
		for !c[first].Started.After(request.Started.Add(-length)) {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// lastFinished is when the last of them to be answered was.
func (c calls) lastFinished() (at time.Time) {
	for _, request := range c {
		if request.Finished.After(at) {
			at = request.Finished
		}
	}
	return at
}
