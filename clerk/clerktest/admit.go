package clerktest

import "crypto/subtle"

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
	s.mu.Lock()
	defer s.mu.Unlock()
	if subtle.ConstantTimeCompare([]byte(values[0][len(prefix):]), []byte(s.secretKey)) != 1 {
		return errKeyInvalid
	}
	return nil
}

// SetSecretKey replaces the key that is accepted, as somebody with the dashboard could. The old one is refused from then
// on, with 401 clerk_key_invalid. The limits stay what they are.
func (s *Server) SetSecretKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secretKey = key
	s.notify()
}
