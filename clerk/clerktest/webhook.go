package clerktest

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// WebhookConfig says where and how the emulator sends webhooks. Clerk gives no promise about their order, and repeats
// what was not answered with 2xx for about a day.
//
// https://docs.svix.com/retries
type WebhookConfig struct {
	URL string // empty for none

	// Secret signs: whsec_ and base64. Defaults to DefaultWebhookSecret. With PreviousSecret each delivery has two
	// signatures, as in the day after a rotation.
	Secret         string
	PreviousSecret string

	// Events are the ones that are sent. Defaults to all three. Clerk does not say whether writing metadata is an
	// organization.updated; here it is.
	Events []EventType

	// Attempts is how often a delivery is tried, in all. Defaults to 8.
	Attempts int
	// RetryDelay is waited after the first attempt, and twice as long after each further one, up to MaxRetryDelay.
	// Default to 1 s, and to 1 min or RetryDelay, if that is longer. Clerk's are 5 s and 10 h.
	RetryDelay    time.Duration
	MaxRetryDelay time.Duration
	// Timeout is how long an answer is waited for. Defaults to 5 s; Clerk's is 15 s.
	Timeout time.Duration

	// Twice sends everything that has been delivered once more, with the same svix-id.
	Twice bool
	// Spread delays each delivery at random by up to so much, so that they lose their order. At 0 the first attempts are
	// made in the order of the events.
	Spread time.Duration
}

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	ID           string    `json:"id"` // the header svix-id, the same in all attempts
	Type         EventType `json:"type"`
	Organization string    `json:"organization"`
	Attempt      int       `json:"attempt"` // from 1
	Ended        time.Time `json:"ended"`
	Status       int       `json:"status"` // 0 if there was no answer
}

// webhooks is a configuration in effect.
type webhooks struct {
	WebhookConfig
	last chan struct{} // closed when the latest event's first attempt has been made; nil if there was none
}

func (c WebhookConfig) withDefaults() WebhookConfig {
	c.Secret = cmp.Or(c.Secret, DefaultWebhookSecret)
	c.Attempts = cmp.Or(c.Attempts, 8)
	c.RetryDelay = cmp.Or(c.RetryDelay, time.Second)
	c.MaxRetryDelay = cmp.Or(c.MaxRetryDelay, max(time.Minute, c.RetryDelay))
	c.Timeout = cmp.Or(c.Timeout, 5*time.Second)
	if c.Events == nil {
		c.Events = eventTypes
	}
	return c
}

// check tells what is wrong with it.
func (c WebhookConfig) check() error {
	if c.URL == "" {
		return nil
	}
	c = c.withDefaults()
	if target, err := url.Parse(c.URL); err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return fmt.Errorf("webhooks cannot be sent to %q", c.URL)
	}
	for _, secret := range c.secrets() {
		if _, err := decodeSecret(secret); err != nil {
			return err
		}
	}
	for _, event := range c.Events {
		if !slices.Contains(eventTypes, event) {
			return fmt.Errorf("there is no event %q", event)
		}
	}
	if c.Attempts < 0 || min(c.RetryDelay, c.MaxRetryDelay, c.Timeout, c.Spread) < 0 {
		return errors.New("attempts and durations must not be negative")
	}
	return nil
}

func (c WebhookConfig) secrets() []string {
	if c.PreviousSecret == "" {
		return []string{c.Secret}
	}
	return []string{c.Secret, c.PreviousSecret}
}

// SetWebhooks has an event sent after every change of an organization from now on, or none if there is no URL. What is
// being delivered already goes on as it began. On an error nothing is changed.
func (s *Server) SetWebhooks(config WebhookConfig) error {
	if err := config.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks = nil
	if config.URL != "" {
		s.webhooks = &webhooks{WebhookConfig: config.withDefaults()}
	}
	return nil
}

// Deliveries returns the attempts to deliver webhooks that have ended, in that order.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries.latest())
}
