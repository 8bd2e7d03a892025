package clerktest

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

var keyControls = []control{
	{"PUT", "/_control/secret-key", "replaces the secret key: the old one gets 401 from now on",
		secretKeyJSON{"sk_test_rotated"}, (*Server).controlPutSecretKey},
	{"PUT", "/_control/organizations", "switches organizations on or off, for the whole instance",
		organizationsJSON{Enabled: new(false)}, (*Server).controlPutOrganizations},
	{"POST", "/_control/signing-key", "rotates the key of the session tokens",
		signingKeyJSON{KeepOld: true}, (*Server).controlPostSigningKey},
	{"POST", "/_control/tokens", "mints a session token; all members may be left out",
		tokenJSON{Organization: "org_1", Stale: duration(30 * time.Second)}, (*Server).controlPostTokens},
	{"PUT", "/_control/token-staleness", "has tokens minted with older metadata",
		stalenessJSON{duration(30 * time.Second)}, (*Server).controlPutStaleness},
}

type secretKeyJSON struct {
	SecretKey string `json:"secret_key"`
}

func (s *Server) controlPutSecretKey(r *http.Request) (any, error) {
	body, err := readControl[secretKeyJSON](r)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(body.SecretKey, "sk_") {
		return nil, errors.New("secret_key must begin with sk_")
	}
	s.SetSecretKey(body.SecretKey)
	return nil, nil
}

type signingKeyJSON struct {
	KeepOld bool `json:"keep_old"`
}

func (s *Server) controlPostSigningKey(r *http.Request) (any, error) {
	body, err := readControl[signingKeyJSON](r)
	if err != nil {
		return nil, err
	}
	s.RotateSigningKey(body.KeepOld)
	return nil, nil
}

type stalenessJSON struct {
	Staleness duration `json:"staleness"`
}

func (s *Server) controlPutStaleness(r *http.Request) (any, error) {
	body, err := readControl[stalenessJSON](r)
	if err != nil {
		return nil, err
	}
	if body.Staleness < 0 {
		return nil, errors.New("staleness must not be negative")
	}
	s.SetTokenStaleness(time.Duration(body.Staleness))
	return nil, nil
}

// tokenJSON is a TokenRequest.
type tokenJSON struct {
	Organization    string         `json:"organization,omitempty"`
	Role            string         `json:"role,omitempty"`
	Permissions     string         `json:"permissions,omitempty"`
	Subject         string         `json:"subject,omitempty"`
	SessionID       string         `json:"session_id,omitempty"`
	AuthorizedParty string         `json:"authorized_party,omitempty"`
	Claims          map[string]any `json:"claims,omitempty"`
	IssuedAt        time.Time      `json:"issued_at,omitzero"`
	Lifetime        duration       `json:"lifetime,omitzero"`
	Status          string         `json:"status,omitempty"`
	Stale           duration       `json:"stale,omitzero"`
	ChangesAgo      int            `json:"changes_ago,omitempty"`
	Override        map[string]any `json:"override,omitempty"`
}

func (s *Server) controlPostTokens(r *http.Request) (any, error) {
	t, err := readControl[tokenJSON](r)
	if err != nil {
		return nil, err
	}
	token, err := s.MintToken(TokenRequest{
		Organization: t.Organization, Role: t.Role, Permissions: t.Permissions,
		Subject: t.Subject, SessionID: t.SessionID, AuthorizedParty: t.AuthorizedParty, Claims: t.Claims,
		IssuedAt: t.IssuedAt, Lifetime: time.Duration(t.Lifetime), Status: t.Status,
		Stale: time.Duration(t.Stale), ChangesAgo: t.ChangesAgo, Override: t.Override,
	})
	return map[string]string{"object": "token", "jwt": token}, err
}
