package clerktest

import (
	"slices"
	"time"
)

// scheduled is a fault that has been set, with its times.
type scheduled struct {
	Fault
	from, until time.Time // until is zero if it stays until cleared
}

func schedule(faults []Fault, now time.Time) []scheduled {
	set := make([]scheduled, len(faults))
	for i, fault := range faults {
		set[i] = scheduled{Fault: fault, from: now.Add(fault.At)}
		if fault.For > 0 {
			set[i].until = set[i].from.Add(fault.For)
		}
	}
	return set
}

func (f scheduled) passed(now time.Time) bool { return !f.until.IsZero() && !now.Before(f.until) }

func (f scheduled) active(now time.Time) bool { return !now.Before(f.from) && !f.passed(now) }

// left is the fault as it would have to be set now to go on the same.
func (f scheduled) left(now time.Time) Fault {
	left := f.Fault
	left.At = max(0, roundUp(f.from.Sub(now), time.Millisecond))
	if !f.until.IsZero() { // up, for what is left must not become 0, which means forever
		left.For = roundUp(f.until.Sub(later(now, f.from)), time.Millisecond)
	}
	return left
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// SetFaults replaces all faults, and starts the time from which their At counts. Of those that hit a request the first
// takes it. It panics on a fault that does not Check, which is a mistake in the program.
func (s *Server) SetFaults(faults ...Fault) {
	for _, fault := range faults {
		if err := fault.Check(); err != nil {
			panic("clerktest: " + err.Error())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.faults = schedule(faults, now)
	s.setAlarms(now)
	s.notify()
}

// SetScript is SetFaults of what ParseScript reads. On an error nothing is changed.
func (s *Server) SetScript(script string) error {
	faults, err := ParseScript(script)
	if err == nil {
		s.SetFaults(faults...)
	}
	return err
}

// ClearFaults removes all faults. Requests already hit stay hit, and what is blocked stays blocked.
func (s *Server) ClearFaults() { s.SetFaults() }

// Faults returns the faults that are active or still to come, each with what is left of it: the Count, the time At
// which it begins from now, and how long For it will last. One that is used up or has passed is gone.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	left := []Fault{}
	for _, fault := range s.faults {
		if !fault.passed(now) {
			left = append(left, fault.left(now))
		}
	}
	return left
}

// setAlarms has WaitFor ask again whenever a fault begins or ends. The caller holds the lock.
func (s *Server) setAlarms(now time.Time) {
	s.stopAlarms()
	if s.closed {
		return
	}
	for _, fault := range s.faults {
		for _, at := range []time.Time{fault.from, fault.until} {
			if at.After(now) {
				s.alarms = append(s.alarms, time.AfterFunc(at.Sub(now), s.alarm))
			}
		}
	}
}

func (s *Server) stopAlarms() {
	for _, alarm := range s.alarms {
		alarm.Stop()
	}
	s.alarms = nil
}

func (s *Server) alarm() {
	if !s.enter() {
		return
	}
	defer s.running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify()
}

// pickFault finds the fault that hits the request, and counts it.
func (s *Server) pickFault(c *call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	i := slices.IndexFunc(s.faults, func(f scheduled) bool {
		return f.active(now) &&
			(f.Organization == "" || f.Organization == c.organization) &&
			(f.Method == "" || f.Method == c.request.Method) &&
			(f.Probability == 0 || s.random.Float64() < f.Probability)
	})
	if i < 0 {
		return Fault{}
	}
	fault := s.faults[i].Fault
	c.entry.Fault, c.entry.Delayed = fault.Effect, fault.Latency > 0
	switch fault.Count {
	case 0:
	case 1:
		s.faults = slices.Delete(s.faults, i, i+1)
	default:
		s.faults[i].Count--
	}
	s.notify()
	return fault
}
