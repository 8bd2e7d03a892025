package clerktest

import (
	"crypto/subtle"
	"time"
)

// APIVersion is the only version of Clerk's API that is emulated, in the header Clerk-API-Version.
const APIVersion = "2026-05-12"

// admit decides, in Clerk's order, whether a request gets to its endpoint, and which fault hits it then.
func (s *Server) admit(c *call) (Fault, error) {
	if c.route != routeJWKS {
		if err := s.authenticate(c); err != nil {
			return Fault{}, err
		}
		if c.request.Header.Get("Clerk-API-Version") != APIVersion {
			return Fault{}, errAPIVersion
		}
		if err := s.limit(c); err != nil {
			return Fault{}, err
		}
	}
	fault := s.pickFault(c)
	if fault.Effect == None && c.tooLarge {
		return Fault{}, errBodyTooLarge
	}
	return fault, nil
}

func (s *Server) authenticate(c *call) error {
	values := c.request.Header.Values("Authorization")
	const prefix = "Bearer "
	if len(values) != 1 || len(values[0]) <= len(prefix) || values[0][:len(prefix)] != prefix {
		return errAuthorizationFormat
	}
	if subtle.ConstantTimeCompare([]byte(values[0][len(prefix):]), []byte(s.config.SecretKey)) != 1 {
		return errKeyInvalid
	}
	return nil
}

// limit counts the request against both windows.
func (s *Server) limit(c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if wait := s.instance.admit(now, s.config.InstanceLimit); wait > 0 {
		c.entry.Limited = LimitedInstance
		return tooManyRequests(wait)
	}
	if !limitedPerOrganization[c.route] {
		return nil
	}
	if s.perOrg[c.organization] == nil {
		s.perOrg[c.organization] = &window{}
	}
	if wait := s.perOrg[c.organization].admit(now, s.config.OrganizationLimit); wait > 0 {
		c.entry.Limited = LimitedOrganization
		return tooManyRequests(wait)
	}
	return nil
}
