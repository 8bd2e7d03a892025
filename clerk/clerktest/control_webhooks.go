package clerktest

import (
	"errors"
	"net/http"
	"time"
)

var webhookControls = []control{
	{"GET", "/_control/webhooks", "shows where webhooks go", nil, (*Server).controlGetWebhooks},
	{"PUT", "/_control/webhooks", "has a webhook sent after every change; all but the url may be left out",
		webhooksJSON{URL: "http://127.0.0.1:8080/webhooks/clerk", Secret: DefaultWebhookSecret}, (*Server).controlPutWebhooks},
	{"DELETE", "/_control/webhooks", "ends the webhooks", nil, (*Server).controlDeleteWebhooks},
	{"GET", "/_control/deliveries", "lists the attempts to deliver webhooks", nil, (*Server).controlDeliveries},
}

// webhooksJSON is a WebhookConfig.
type webhooksJSON struct {
	URL            string      `json:"url"`
	Secret         string      `json:"secret,omitempty"`
	PreviousSecret string      `json:"previous_secret,omitempty"`
	Events         []EventType `json:"events,omitempty"`
	Attempts       int         `json:"attempts,omitempty"`
	RetryDelay     duration    `json:"retry_delay,omitzero"`
	MaxRetryDelay  duration    `json:"max_retry_delay,omitzero"`
	Timeout        duration    `json:"timeout,omitzero"`
	Twice          bool        `json:"twice,omitempty"`
	Spread         duration    `json:"spread,omitzero"`
}

// controlGetWebhooks does not show the secrets: they may be real ones.
func (s *Server) controlGetWebhooks(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.webhooks == nil {
		return webhooksJSON{}, nil
	}
	c := s.webhooks.WebhookConfig
	return webhooksJSON{
		URL: c.URL, Events: c.Events, Attempts: c.Attempts, RetryDelay: duration(c.RetryDelay),
		MaxRetryDelay: duration(c.MaxRetryDelay), Timeout: duration(c.Timeout), Twice: c.Twice, Spread: duration(c.Spread),
	}, nil
}

func (s *Server) controlPutWebhooks(r *http.Request) (any, error) {
	c, err := readControl[webhooksJSON](r)
	if err != nil {
		return nil, err
	}
	if c.URL == "" {
		return nil, errors.New("url is missing; DELETE ends the webhooks")
	}
	err = s.SetWebhooks(WebhookConfig{
		URL: c.URL, Secret: c.Secret, PreviousSecret: c.PreviousSecret, Events: c.Events,
		Attempts: c.Attempts, RetryDelay: time.Duration(c.RetryDelay), MaxRetryDelay: time.Duration(c.MaxRetryDelay),
		Timeout: time.Duration(c.Timeout), Twice: c.Twice, Spread: time.Duration(c.Spread),
	})
	if err != nil {
		return nil, err
	}
	return s.controlGetWebhooks(r)
}

func (s *Server) controlDeleteWebhooks(*http.Request) (any, error) {
	return nil, s.SetWebhooks(WebhookConfig{})
}

func (s *Server) controlDeliveries(*http.Request) (any, error) {
	deliveries := s.Deliveries()
	if deliveries == nil {
		deliveries = []Delivery{}
	}
	return map[string][]Delivery{"deliveries": deliveries}, nil
}
