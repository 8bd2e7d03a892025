package clerktest

import (
	"slices"
	"time"
)

// noticeGone is how long it may take until the server notices that a client has given up. An overlap no longer than
// that is not held against the client.
const noticeGone = 500 * time.Millisecond

// flights tracks how many writes to one organization were in flight at the same time.
type flights struct {
	active map[string][]*flight // by organization, by start
	most   map[string]int
}

// flight is one write in flight.
type flight struct {
	organization string
	started      time.Time
	together     int       // with how many that have ended it was in flight, itself included
	later        []*flight // those that started while it was active
}

func newFlights() flights { return flights{active: map[string][]*flight{}, most: map[string]int{}} }

func (f *flights) enter(organization string, now time.Time) *flight {
	entered := &flight{organization: organization, started: now, together: 1}
	for _, earlier := range f.active[organization] {
		earlier.later = append(earlier.later, entered)
	}
	f.active[organization] = append(f.active[organization], entered)
	f.most[organization] = max(f.most[organization], 1)
	return entered
}

// leave may be called more than once; the first counts.
func (f *flights) leave(left *flight, now time.Time, clientGone bool) {
	active := f.active[left.organization]
	at := slices.Index(active, left)
	if at < 0 {
		return
	}
	f.active[left.organization] = slices.Delete(active, at, at+1)
	if len(active) == 1 {
		delete(f.active, left.organization)
	}
	if clientGone {
		now = now.Add(-noticeGone)
	}
	for _, later := range left.later {
		if later.started.Before(now) {
			later.together++
			f.most[left.organization] = max(f.most[left.organization], later.together)
		}
	}
}

// max returns the most for one organization, those still active included.
func (f *flights) max(organization string) int {
	most := f.most[organization]
	for earlier, active := range f.active[organization] {
		most = max(most, active.together+earlier)
	}
	return most
}

// MaxInFlight returns how many writes (PATCH and PUT) to the organization were ever in flight at the same time. A
// write is in flight from when its request has been read until its answer begins or its client has gone. For the
// latter the server needs a moment, so overlaps of up to half a second with a client that then goes are not counted.
func (s *Server) MaxInFlight(organization string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flights.max(organization)
}

// MaxInFlightAny is the highest MaxInFlight of any organization.
func (s *Server) MaxInFlightAny() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	highest := 0
	for organization := range s.flights.most {
		highest = max(highest, s.flights.max(organization))
	}
	return highest
}
