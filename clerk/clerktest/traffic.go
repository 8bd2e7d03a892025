package clerktest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Traffic is what other applications with the same key send: Requests evenly spread over every Window. They count
// against the instance's limit as a client's do: they fill its window, are refused when it is full or blocked, and the
// one that exceeds it blocks it. They do not listen to Retry-After.
type Traffic struct {
	Requests int           // 0 for none
	Window   time.Duration // 10 s if 0
}

// TrafficCount is what has become of the competing traffic since the emulator began.
type TrafficCount struct {
	Admitted int64 `json:"admitted"`
	Refused  int64 `json:"refused"`
	Blocks   int64 `json:"blocks"` // how often it was what exceeded the limit; among Refused
}

// competing is the competing traffic of a server.
type competing struct {
	now   Traffic
	stop  chan struct{} // ends the goroutine that sends; nil if there is none
	count TrafficCount
}

// minTrafficInterval bounds what the emulator has to do for the traffic.
const minTrafficInterval = 10 * time.Microsecond

func (t Traffic) withDefaults() Traffic {
	if t.Window == 0 {
		t.Window = 10 * time.Second
	}
	return t
}

// Check tells what is wrong with it.
func (t Traffic) Check() error {
	t = t.withDefaults()
	switch {
	case t.Requests < 0 || t.Window < 0:
		return fmt.Errorf("traffic of %d requests in %s: neither must be negative", t.Requests, t.Window)
	case t.Requests > 0 && t.interval() < minTrafficInterval:
		return fmt.Errorf("traffic of %d requests in %s is more than one per %s", t.Requests, t.Window, minTrafficInterval)
	}
	return nil
}

func (t Traffic) interval() time.Duration { return t.Window / time.Duration(t.Requests) }

// UnmarshalText reads "500/10s", or "500" for the usual 10 s.
func (t *Traffic) UnmarshalText(text []byte) error {
	requests, window, found := strings.Cut(string(text), "/")
	var parsed Traffic
	var err error
	if parsed.Requests, err = strconv.Atoi(requests); err == nil && found {
		parsed.Window, err = time.ParseDuration(window)
	}
	if err != nil {
		return fmt.Errorf("%q is not a traffic like 500/10s", text)
	}
	*t = parsed
	return parsed.Check()
}

// SetTraffic replaces the competing traffic. Zero requests end it. It panics if the traffic does not Check.
func (s *Server) SetTraffic(t Traffic) {
	if err := t.Check(); err != nil {
		panic("clerktest: " + err.Error())
	}
	t = t.withDefaults()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traffic.stop != nil {
		close(s.traffic.stop)
	}
	s.traffic.now, s.traffic.stop = Traffic{}, nil
	if t.Requests > 0 && !s.closed {
		replaced := make(chan struct{})
		s.traffic.now, s.traffic.stop = t, replaced
		s.running.Go(func() { s.compete(t, replaced) })
	}
	s.notify()
}

// Traffic returns the competing traffic and what has become of it so far.
func (s *Server) Traffic() (Traffic, TrafficCount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traffic.now, s.traffic.count
}

// compete sends the traffic until it is replaced.
func (s *Server) compete(t Traffic, replaced <-chan struct{}) {
	ticker := time.NewTicker(max(t.interval(), time.Millisecond))
	defer ticker.Stop()
	began, sent := time.Now(), int64(0)
	for {
		select {
		case <-ticker.C:
		case <-replaced:
			return
		case <-s.ending.Done():
			return
		}
		due := int64(time.Since(began) / t.interval())
		sent = max(sent, due-int64(t.Requests)) // a laptop that slept does not make up for it
		s.sendTraffic(replaced, due-sent)
		sent = due
	}
}

// sendTraffic sends nothing any more once the traffic is replaced: its goroutine may not have noticed yet.
func (s *Server) sendTraffic(replaced <-chan struct{}, requests int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traffic.stop != replaced {
		return
	}
	now := time.Now()
	for range requests {
		switch v := s.instance.admit(now, s.instanceLimit); {
		case !v.refused():
			s.traffic.count.Admitted++
		case v.inBlock:
			s.traffic.count.Refused++
		default:
			s.traffic.count.Refused++
			s.traffic.count.Blocks++
		}
	}
	s.notify()
}
