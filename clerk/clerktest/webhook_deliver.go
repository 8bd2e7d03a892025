package clerktest

import (
	"context"
	"slices"
	"time"
)

// message is an event on its way to the receiver of webhooks.
type message struct {
	to       WebhookConfig
	id       string
	event    EventType
	about    string // the organization
	body     []byte
	delay    time.Duration
	previous chan struct{} // closed when the event before has been tried; nil if there is none
	tried    chan struct{}
}

// announce sends the event, if anybody wants it. The caller holds the lock.
func (s *Server) announce(event EventType, o Organization) {
	if s.webhooks == nil || s.closed || !slices.Contains(s.webhooks.Events, event) {
		return
	}
	m := &message{
		to: s.webhooks.WebhookConfig, id: newMessageID(), event: event, about: o.ID,
		body:     WebhookBody(event, o, time.Now()),
		previous: s.webhooks.last, tried: make(chan struct{}),
	}
	if m.to.Spread > 0 {
		m.previous, m.delay = nil, time.Duration(s.random.Int64N(int64(m.to.Spread)))
	}
	s.webhooks.last = m.tried
	s.running.Go(func() { s.deliver(m) })
}

// deliver tries until the message is accepted, there were attempts enough, or the server is closed.
func (s *Server) deliver(m *message) {
	if !s.sleep(m.delay) || !s.await(m.previous) {
		return
	}
	accepted := s.attempt(m, 1)
	close(m.tried)
	attempt, pause := 1, m.to.RetryDelay
	for ; attempt < m.to.Attempts && !accepted; attempt++ {
		if !s.sleep(pause) {
			return
		}
		accepted = s.attempt(m, attempt+1)
		pause = min(2*pause, m.to.MaxRetryDelay)
	}
	if accepted && m.to.Twice {
		s.attempt(m, attempt+1)
	}
}

// await returns false if the server is closed before.
func (s *Server) await(event <-chan struct{}) bool {
	if event == nil {
		return true
	}
	select {
	case <-event:
		return true
	case <-s.ending.Done():
		return false
	}
}

// attempt posts the message once, and tells whether it was accepted.
func (s *Server) attempt(m *message, attempt int) bool {
	ctx, cancel := context.WithTimeout(s.ending, m.to.Timeout)
	defer cancel()
	status, err := Webhook{ID: m.id, Body: m.body, Secrets: m.to.secrets()}.Send(ctx, m.to.URL)
	s.delivered(m, attempt, status)
	return err == nil && status >= 200 && status < 300
}

func (s *Server) delivered(m *message, attempt, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries.add(Delivery{
		ID: m.id, Type: m.event, Organization: m.about, Attempt: attempt, Ended: time.Now(), Status: status,
	})
	s.notify()
}
