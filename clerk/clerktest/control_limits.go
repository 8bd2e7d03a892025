package clerktest

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

var limitControls = []control{
	{"GET", "/_control/limits", "shows both rate limits and how far they are used", nil, (*Server).controlGetLimits},
	{"PUT", "/_control/limits", "changes the rate limits; what is left out stays, -1 requests are no limit",
		map[string]limitJSON{"instance": {Requests: 100, Window: duration(10 * time.Second)}}, (*Server).controlPutLimits},
}

type limitJSON struct {
	Requests     int       `json:"requests"`
	Window       duration  `json:"window,omitzero"`
	Used         *int      `json:"used,omitempty"`
	BlockedUntil time.Time `json:"blocked_until,omitzero"`
}

type limitsJSON struct {
	Instance      limitJSON            `json:"instance"`
	Organization  limitJSON            `json:"organization"`  // of each
	Organizations map[string]limitJSON `json:"organizations"` // those with something in the window, or blocked
}

func (s LimitState) json() limitJSON {
	return limitJSON{s.Requests, duration(s.Window), &s.Used, s.BlockedUntil}
}

func (s *Server) controlGetLimits(*http.Request) (any, error) {
	states := s.Limits()
	shown := limitsJSON{
		Instance:      states.Instance.json(),
		Organization:  limitJSON{Requests: states.Organization.Requests, Window: duration(states.Organization.Window)},
		Organizations: map[string]limitJSON{},
	}
	for id, state := range states.Organizations {
		shown.Organizations[id] = state.json()
	}
	return shown, nil
}

// limitChange is a limit of which any part may be left out.
type limitChange struct {
	Requests *int      `json:"requests"`
	Window   *duration `json:"window"`
}

func (s *Server) controlPutLimits(r *http.Request) (any, error) {
	body, err := readControl[struct {
		Instance     limitChange `json:"instance"`
		Organization limitChange `json:"organization"`
	}](r)
	if err != nil {
		return nil, err
	}
	states := s.Limits()
	instance, err := body.Instance.apply(states.Instance.Limit)
	if err != nil {
		return nil, fmt.Errorf("instance: %w", err)
	}
	organization, err := body.Organization.apply(states.Organization)
	if err != nil {
		return nil, fmt.Errorf("organization: %w", err)
	}
	s.SetLimits(instance, organization)
	return s.controlGetLimits(r)
}

func (c limitChange) apply(limit Limit) (Limit, error) {
	if c.Requests != nil {
		limit.Requests = *c.Requests
	}
	if c.Window != nil {
		limit.Window = time.Duration(*c.Window)
	}
	if limit.Requests == 0 || limit.Requests < Unlimited || limit.Window <= 0 {
		return limit, errors.New("requests must be 1 or more, or -1 for no limit; window a duration as 10s")
	}
	return limit, nil
}
