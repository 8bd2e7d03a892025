package jobs

import (
	"context"
	"sync"
	"time"
)

const (
	// silenceCalls is how many calls go on being made to a destination that has fallen silent.
	silenceCalls = 4
	// silenceFactor is how many times longer than usual nothing has to be heard, between silenceLeast and silenceMost.
	silenceFactor             = 8
	silenceLeast, silenceMost = 250 * time.Millisecond, 2 * time.Second
	// usualWeight is that of the latest call in what is usual.
	usualWeight = 0.1
)

// silence notices that a destination has stopped answering, before the first call has run into its deadline: until then
// every worker of the fleet would send it one, and nobody could say what became of them. It is of one process.
type silence struct {
	mu      sync.Mutex
	calls   map[*time.Time]struct{} // when those under way were begun
	heard   time.Time               // when the last answer came
	usual   time.Duration           // what an answer takes, as a moving average
	changed chan struct{}           // closed and replaced when a call ends
}

func newSilence() *silence {
	return &silence{calls: map[*time.Time]struct{}{}, changed: make(chan struct{})}
}

// begin notes that a call is begun, and returns what is to be called when it has ended.
func (s *silence) begin() (ended func(answered bool)) {
	begun := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[&begun] = struct{}{}
	return func(answered bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.calls, &begun)
		if answered {
			s.hear(time.Now(), begun)
		}
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

func (s *silence) hear(now, begun time.Time) {
	took := now.Sub(begun)
	if s.heard.IsZero() {
		s.usual = took
	}
	s.usual += time.Duration(usualWeight * float64(took-s.usual))
	s.heard = now
}

// lasts tells whether nothing was heard for long, while many calls wait for an answer.
func (s *silence) lasts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastsAt(time.Now())
}

func (s *silence) lastsAt(now time.Time) bool {
	if len(s.calls) < silenceCalls {
		return false
	}
	since := now
	for begun := range s.calls {
		if begun.Before(since) {
			since = *begun
		}
	}
	if s.heard.After(since) {
		since = s.heard
	}
	return now.Sub(since) > min(max(silenceFactor*s.usual, silenceLeast), silenceMost)
}

// over returns nil when there is no silence any more, or ctx's error.
func (s *silence) over(ctx context.Context) error {
	for {
		s.mu.Lock()
		lasts, changed := s.lastsAt(time.Now()), s.changed
		s.mu.Unlock()
		if !lasts {
			return ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
