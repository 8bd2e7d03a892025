package clerktest

import "time"

// LimitState is a rate limit and how far it is used.
type LimitState struct {
	Limit
	Used         int       // requests in the window
	BlockedUntil time.Time // zero if it is not blocked
}

// LimitStates are the rate limits and how far they are used.
type LimitStates struct {
	Instance LimitState
	// Organization is the limit for each organization.
	Organization Limit
	// Organizations are the organizations with a request in the window, or a block.
	Organizations map[string]LimitState
}

// limit counts the request against both windows. What the organization's refuses has reached the instance, and counts
// there: Clerk says nothing about it, and this is the stricter way.
func (s *Server) limit(c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if v := s.instance.admit(now, s.instanceLimit); v.refused() {
		return c.limited(LimitedInstance, v)
	}
	if !limitedPerOrganization[c.route] {
		return nil
	}
	if v := s.organizationWindow(c.organization).admit(now, s.organizationLimit); v.refused() {
		return c.limited(LimitedOrganization, v)
	}
	return nil
}

func (s *Server) organizationWindow(id string) *window {
	if s.perOrg[id] == nil {
		s.perOrg[id] = &window{}
	}
	return s.perOrg[id]
}

// limited notes which limit refused the request.
func (c *call) limited(by Limited, v verdict) error {
	c.entry.Limited, c.entry.InBlock, c.entry.BlockedUntil = by, v.inBlock, v.until
	return tooManyRequests(v.wait)
}

// blockBy has the announcement of a fault hold.
func (s *Server) blockBy(c *call, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, by := &s.instance, LimitedInstance
	if fault.Organization != "" {
		w, by = s.organizationWindow(fault.Organization), LimitedOrganization
	}
	// What limited would answer is dropped: the fault's own answer is sent instead.
	_ = c.limited(by, w.block(time.Now(), fault.RetryAfter))
}

// SetLimits replaces both limits; their zero values are Clerk's, as in Config. What is in the windows stays there, and
// what is blocked stays blocked.
func (s *Server) SetLimits(instance, organization Limit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := Config{SecretKey: s.secretKey, InstanceLimit: instance, OrganizationLimit: organization}.withDefaults()
	s.instanceLimit, s.organizationLimit = config.InstanceLimit, config.OrganizationLimit
	s.notify()
}

// Limits returns the limits, and how far they are used at this moment.
func (s *Server) Limits() LimitStates {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	states := LimitStates{
		Instance:      s.instance.state(now, s.instanceLimit),
		Organization:  s.organizationLimit,
		Organizations: map[string]LimitState{},
	}
	for id, w := range s.perOrg {
		if state := w.state(now, s.organizationLimit); state.Used > 0 || !state.BlockedUntil.IsZero() {
			states.Organizations[id] = state
		}
	}
	return states
}

func (w *window) state(now time.Time, limit Limit) LimitState {
	w.forget(now, limit)
	state := LimitState{Limit: limit, Used: len(w.admitted)}
	if now.Before(w.blockedUntil) {
		state.BlockedUntil = w.blockedUntil
	}
	return state
}
