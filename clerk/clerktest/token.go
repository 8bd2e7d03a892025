package clerktest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Issuer is the iss of the session tokens.
const Issuer = "https://clerktest.clerk.accounts.dev"

// TokenRequest says which session token is wanted. The zero value is one of a user without an active organization.
type TokenRequest struct {
	// Organization is the ID of the active organization. It must exist.
	Organization string
	// Role is the user's in it, without org:. Defaults to member.
	Role string
	// Permissions is the claim o.per, comma-separated. Features, which give them a meaning, are not emulated.
	Permissions string

	Subject         string // defaults to user_clerktest
	SessionID       string // defaults to sess_clerktest
	AuthorizedParty string // defaults to http://localhost:3000

	// Claims is the customization of the session token, as in Clerk's dashboard: values are shortcodes or constants.
	// Defaults to DefaultClaims.
	Claims map[string]any

	IssuedAt time.Time     // defaults to now
	Lifetime time.Duration // defaults to 60 s
	Status   string        // the claim sts; defaults to active, and may be pending

	// Stale has the organization's metadata as it was that long ago. Defaults to SetTokenStaleness.
	Stale time.Duration
	// ChangesAgo has it as it was before the last so many changes of it.
	ChangesAgo int

	// Override replaces claims in the end; nil removes one. So there can be tokens that Clerk would not mint: without
	// exp or azp, of another iss, with a claim of the wrong type.
	Override map[string]any
}

// SetTokenStaleness has tokens minted with the organization's metadata as it was so long ago, unless they ask otherwise.
func (s *Server) SetTokenStaleness(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staleness = d
}

// MintToken returns a session token of version 2, as a JSON Web Token signed by the first key of GET /jwks.
//
// https://clerk.com/docs/guides/sessions/session-tokens
func (s *Server) MintToken(r TokenRequest) (string, error) {
	r = r.withDefaults()
	context, err := s.tokenContext(r)
	if err != nil {
		return "", err
	}
	custom, err := customClaims(r.Claims, context)
	if err != nil {
		return "", err
	}
	claims := r.standardClaims(context)
	maps.Copy(claims, custom)
	for name, value := range r.Override {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return s.signing.sign(claims)
}

func (r TokenRequest) withDefaults() TokenRequest {
	r.Role = cmp.Or(r.Role, "member")
	r.Subject = cmp.Or(r.Subject, "user_clerktest")
	r.SessionID = cmp.Or(r.SessionID, "sess_clerktest")
	r.AuthorizedParty = cmp.Or(r.AuthorizedParty, "http://localhost:3000")
	r.Status = cmp.Or(r.Status, "active")
	r.Lifetime = cmp.Or(r.Lifetime, time.Minute)
	if r.IssuedAt.IsZero() {
		r.IssuedAt = time.Now()
	}
	if r.Claims == nil {
		r.Claims = DefaultClaims()
	}
	return r
}

// tokenContext is what the shortcodes refer to.
func (s *Server) tokenContext(r TokenRequest) (object, error) {
	context := object{"user": object{"id": r.Subject}}
	if r.Organization == "" {
		return context, nil
	}
	if r.Stale < 0 || r.ChangesAgo < 0 {
		return nil, errors.New("a token cannot be ahead of its organization")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.organizations[r.Organization]
	if !ok {
		return nil, fmt.Errorf("there is no organization %q", r.Organization)
	}
	public := s.metadataAt(o, time.Now().Add(-cmp.Or(r.Stale, s.staleness)), r.ChangesAgo)
	metadata, err := decodeObject(public)
	if err != nil {
		metadata = nil // EditMetadata can store JSON that is no object
	}
	context["org"] = object{
		"id": o.ID, "name": o.Name, "slug": o.Slug, "role": "org:" + r.Role, "public_metadata": metadata,
	}
	return context, nil
}

// standardClaims are those of every token.
//
// https://clerk.com/docs/guides/sessions/session-tokens#default-claims
func (r TokenRequest) standardClaims(context object) map[string]any {
	issued := r.IssuedAt.Unix()
	claims := map[string]any{
		"iss": Issuer, "sub": r.Subject, "sid": r.SessionID, "azp": r.AuthorizedParty, "sts": r.Status,
		"iat": issued, "nbf": issued - 10, "exp": issued + int64(r.Lifetime/time.Second),
		"jti": randomHex(10), "v": 2, "fva": []int{0, -1}, "pla": "u:free",
	}
	if org, active := context["org"].(object); active {
		claims["o"] = map[string]any{"id": org["id"], "slg": org["slug"], "rol": r.Role, "per": r.Permissions}
	}
	return claims
}
