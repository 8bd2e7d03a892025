package clerktest

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Effect is what a fault does to a request.
type Effect string

// The effects. Requests that are refused anyhow, for their key, version or rate, are not hit by any.
const (
	// None does nothing beyond Fault.Latency.
	None Effect = ""
	// Answer answers with Fault.Status and applies nothing. The body is Clerk's usual one for the status: errors as
	// JSON, but 502 in HTML, 503 empty, and 301 with a Location. Fault.Body replaces it.
	Answer Effect = "answer"
	// EmptyOK, NullOK and ErrorsOK answer 200 with no body, with null, and with {"errors":…}, and apply nothing.
	EmptyOK  Effect = "empty_ok"
	NullOK   Effect = "null_ok"
	ErrorsOK Effect = "errors_ok"
	// Hang neither answers nor applies, until the client gives up.
	Hang Effect = "hang"
	// ResetBefore resets the connection and applies nothing.
	ResetBefore Effect = "reset_before"
	// ResetAfter applies, then resets the connection without an answer.
	ResetAfter Effect = "reset_after"
	// Truncate applies, then breaks off in the middle of the 200.
	Truncate Effect = "truncate"
	// Late does not answer, and applies Fault.Delay after the request arrived: usually when the client has given up,
	// and perhaps written something newer.
	Late Effect = "late"
)

var effects = []Effect{
	None, Answer, EmptyOK, NullOK, ErrorsOK, Hang, ResetBefore, ResetAfter, Truncate, Late,
}

// Fault makes requests fail.
type Fault struct {
	Effect Effect

	// Organization and Method restrict it, for instance to "org_1" and "PATCH". Empty matches all.
	Organization string
	Method       string

	// Count is how many requests it hits; 0 means all, until cleared.
	Count int
	// Probability is that of hitting a request that matches. 0 means always.
	Probability float64

	// Latency is waited first, whatever the effect, and even if the client gives up meanwhile.
	Latency time.Duration

	// Status and Body are for Answer.
	Status int
	Body   string
	// RetryAfter is for Answer, in whole seconds; 0 leaves the header out. The emulator does not block by itself.
	RetryAfter time.Duration
	// Delay is for Late.
	Delay time.Duration
}

// Check tells what is wrong with a fault.
func (f Fault) Check() error {
	switch {
	case !slices.Contains(effects, f.Effect):
		return fmt.Errorf("there is no effect %q", f.Effect)
	case f.Effect == Answer && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	case f.Effect == None && f.Latency <= 0:
		return errors.New("a fault needs an effect or a latency")
	case f.Count < 0, f.Latency < 0, f.RetryAfter < 0, f.Delay < 0:
		return errors.New("count and durations must not be negative")
	case f.Probability < 0 || f.Probability > 1:
		return errors.New("probability must be between 0 and 1")
	}
	return nil
}

// SetFaults replaces all faults. The first that hits a request takes it. It panics on a fault that does not Check,
// which is a mistake in the program.
func (s *Server) SetFaults(faults ...Fault) {
	for _, fault := range faults {
		if err := fault.Check(); err != nil {
			panic("clerktest: " + err.Error())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.Clone(faults)
	s.notify()
}

// ClearFaults removes all faults. Requests already hit stay hit.
func (s *Server) ClearFaults() { s.SetFaults() }

// Faults returns the faults that are set, each with the Count it has left. One that is used up is gone.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// pickFault finds the fault that hits the request, and counts it.
func (s *Server) pickFault(c *call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f Fault) bool {
		return (f.Organization == "" || f.Organization == c.organization) &&
			(f.Method == "" || f.Method == c.request.Method) &&
			(f.Probability == 0 || s.random.Float64() < f.Probability)
	})
	if i < 0 {
		return Fault{}
	}
	fault := s.faults[i]
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
