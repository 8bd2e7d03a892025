package clerktest

import (
	"errors"
	"net/http"
	"strings"
)

// InstanceID is the id of every emulated instance.
const InstanceID = "ins_clerktest"

// instanceJSON is the instance that the secret key belongs to.
//
// https://clerk.com/docs/reference/backend/types/backend-instance
type instanceJSON struct {
	Object          string   `json:"object"`
	ID              string   `json:"id"`
	EnvironmentType string   `json:"environment_type"`
	AllowedOrigins  []string `json:"allowed_origins"`
}

// GET /instance
//
// https://clerk.com/docs/reference/backend-api/tag/instance-settings/GET/instance
func (s *Server) getInstance(c *call) (any, error) {
	if _, err := c.queryParams(); err != nil {
		return nil, err
	}
	environment := "development"
	if strings.HasPrefix(s.secretKey, "sk_live_") {
		environment = "production"
	}
	return instanceJSON{Object: "instance", ID: InstanceID, EnvironmentType: environment}, nil
}

// The text is Clerk's: https://github.com/mastra-ai/mastra/issues/9162
var errOrganizationsOff = &refusal{status: http.StatusForbidden, code: "organization_not_enabled_in_instance",
	message: "access denied",
	long: "The organizations feature is not enabled for this instance. " +
		"You can enable it at https://dashboard.clerk.com."}

// forbiddenWithoutOrganizations are the routes for which Clerk describes a 403; for the others about organizations it
// describes a 404 only.
//
// https://github.com/clerk/openapi-specs
var forbiddenWithoutOrganizations = map[string]bool{
	"GET organizations":        true,
	"POST organizations":       true,
	"GET organizations/{id}":   true,
	"PATCH organizations/{id}": true,
}

// EnableOrganizations switches the instance's organizations on, or off, as somebody with the dashboard could. Switched off,
// they are still there, and refused. At first they are on.
func (s *Server) EnableOrganizations(enabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.switchedOff = !enabled
	s.notify()
}

// unavailable is why the endpoint does not answer; nil: it does. The caller holds the lock.
func (s *Server) unavailable(c *call) error {
	switch {
	case !s.switchedOff || !strings.Contains(c.route, " organizations"):
		return nil
	case forbiddenWithoutOrganizations[c.route]:
		return errOrganizationsOff
	default:
		return errNotFound
	}
}

type organizationsJSON struct {
	Enabled *bool `json:"enabled"`
}

func (s *Server) controlPutOrganizations(r *http.Request) (any, error) {
	body, err := readControl[organizationsJSON](r)
	if err != nil {
		return nil, err
	}
	if body.Enabled == nil {
		return nil, errors.New("enabled must be true or false")
	}
	s.EnableOrganizations(*body.Enabled)
	return nil, nil
}
