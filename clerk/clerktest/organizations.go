package clerktest

import (
	"encoding/json"
	"maps"
	"regexp"
	"time"
	"unicode/utf8"
)

// GET /organizations/{id}
func (s *Server) getOrganization(c *call) (any, error) {
	query, err := c.queryParams("include_members_count", "include_missing_member_with_elevated_permissions")
	if err != nil {
		return nil, err
	}
	countMembers, err := queryBool(query, "include_members_count")
	if err != nil {
		return nil, err
	}
	o, ok := s.organizations[c.organization]
	if !ok {
		o, ok = s.findBySlug(c.organization)
	}
	if !ok {
		return nil, errNotFound
	}
	return o.json().withMembersCount(countMembers), nil
}

// POST /organizations
func (s *Server) createOrganization(c *call) (any, error) {
	p, err := c.bodyParams("name", "slug", "created_by", "created_at", "max_allowed_memberships", "role_set_key",
		paramPublicMetadata, paramPrivateMetadata)
	if err != nil {
		return nil, err
	}
	if !p.given("name") {
		return nil, paramMissing("name")
	}
	var name string
	if err := take(p, "name", &name); err != nil {
		return nil, err
	}
	o := s.newOrganization(newOrganizationID(), name)
	if err := s.change(&o, p); err != nil {
		return nil, err
	}
	// Unlike later on, metadata may be null here, which is as good as none.
	maps.DeleteFunc(p, func(name string, _ json.RawMessage) bool { return !p.given(name) })
	if err := p.changeMetadata(&o, replaced); err != nil {
		return nil, err
	}
	s.store(o)
	return s.organizations[o.ID].json(), nil
}

// PATCH /organizations/{id}. Metadata is refused here since this version of the API.
func (s *Server) updateOrganization(c *call) (any, error) {
	p, err := c.bodyParams("name", "slug", "created_at", "max_allowed_memberships", "admin_delete_enabled", "role_set_key")
	if err != nil {
		return nil, err
	}
	o, err := s.organizationToWrite(c)
	if err != nil {
		return nil, err
	}
	if err := s.change(&o, p); err != nil {
		return nil, err
	}
	s.store(o)
	return s.organizations[o.ID].json(), nil
}

// DELETE /organizations/{id}
func (s *Server) deleteOrganization(c *call) (any, error) {
	if _, ok := s.organizations[c.organization]; !ok {
		return nil, errNotFound
	}
	s.remove(c.organization)
	return deletedOrganization(c.organization), nil
}

var slugForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// change takes over what the parameters give, but for metadata.
func (s *Server) change(o *Organization, p params) error {
	roleSet, created := "", o.CreatedAt
	for _, err := range []error{
		take(p, "name", &o.Name),
		take(p, "slug", &o.Slug),
		take(p, "created_by", &o.CreatedBy),
		take(p, "created_at", &created), // RFC 3339
		take(p, "max_allowed_memberships", &o.MaxAllowedMemberships),
		take(p, "admin_delete_enabled", &o.AdminDeleteEnabled),
		take(p, "role_set_key", &roleSet),
	} {
		if err != nil {
			return err
		}
	}
	o.CreatedAt = created.Truncate(time.Millisecond)
	switch other, taken := s.findBySlug(o.Slug); {
	case o.Name == "" || utf8.RuneCountInString(o.Name) > 256:
		return paramInvalid("name", "must have 1 to 256 characters")
	case !slugForm.MatchString(o.Slug):
		return paramInvalid("slug", "may contain only lowercase letters, digits and dashes")
	case taken && other.ID != o.ID:
		return slugTaken()
	case o.MaxAllowedMemberships < 0:
		return paramInvalid("max_allowed_memberships", "must not be negative")
	}
	return nil
}
