package clerktest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Organization is an organization of the emulated instance.
type Organization struct {
	ID                    string
	Name                  string
	Slug                  string
	CreatedBy             string
	MaxAllowedMemberships int64
	AdminDeleteEnabled    bool
	PublicMetadata        json.RawMessage // an object, never nil
	PrivateMetadata       json.RawMessage // an object, never nil
	CreatedAt             time.Time
	UpdatedAt             time.Time

	sequence int64 // of creation: times may be equal
}

var emptyObject = json.RawMessage(`{}`)

// AddOrganization adds an organization without metadata, or renames the one that has the ID.
func (s *Server) AddOrganization(id, name string) Organization {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, known := s.organizations[id]
	if !known {
		o = s.newOrganization(id, name)
	}
	o.Name = name
	s.store(o)
	return o
}

// RemoveOrganization removes the organization, as somebody with the dashboard could.
func (s *Server) RemoveOrganization(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(id)
}

// EditMetadata replaces an organization's metadata behind everybody's back, as somebody with the dashboard could. It
// is no request and no write of the history. Nil leaves as it is. It returns false if there is no such organization, or
// if what is given is not JSON.
func (s *Server) EditMetadata(id string, public, private json.RawMessage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.organizations[id]
	if !ok || public != nil && !json.Valid(public) || private != nil && !json.Valid(private) {
		return false
	}
	if public != nil {
		o.PublicMetadata = slices.Clone(public)
	}
	if private != nil {
		o.PrivateMetadata = slices.Clone(private)
	}
	s.store(o)
	return true
}

// Organization returns the organization with the ID. Its metadata must not be modified.
func (s *Server) Organization(id string) (Organization, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.organizations[id]
	return o, ok
}

// Organizations returns all, the latest first. Their metadata must not be modified.
func (s *Server) Organizations() []Organization {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latestFirst()
}

func (s *Server) latestFirst() []Organization {
	all := make([]Organization, 0, len(s.organizations))
	for _, o := range s.organizations {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Organization) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.sequence, a.sequence))
	})
	return all
}

// newOrganization makes an organization that is not stored yet. The caller holds the lock, here and below.
func (s *Server) newOrganization(id, name string) Organization {
	s.created++
	now := time.Now().Truncate(time.Millisecond)
	return Organization{
		ID: id, Name: name, Slug: s.freeSlug(name, id), MaxAllowedMemberships: 5, AdminDeleteEnabled: true,
		PublicMetadata: emptyObject, PrivateMetadata: emptyObject, CreatedAt: now, UpdatedAt: now, sequence: s.created,
	}
}

func (s *Server) store(o Organization) {
	o.UpdatedAt = time.Now().Truncate(time.Millisecond)
	kind := OrganizationUpdated
	if _, known := s.organizations[o.ID]; !known {
		kind = OrganizationCreated
	}
	s.revised(o)
	s.organizations[o.ID] = o
	s.announce(kind, o)
	s.notify()
}

func (s *Server) remove(id string) {
	o, known := s.organizations[id]
	if !known {
		return
	}
	delete(s.organizations, id)
	s.announce(OrganizationDeleted, o)
	s.notify()
}

func (s *Server) findBySlug(slug string) (Organization, bool) {
	for _, o := range s.organizations {
		if o.Slug == slug {
			return o, true
		}
	}
	return Organization{}, false
}

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

// freeSlug derives a slug from the name, made unique by the ID.
func (s *Server) freeSlug(name, id string) string {
	slug := strings.Trim(notInSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if _, taken := s.findBySlug(slug); !taken && slug != "" {
		return slug
	}
	suffix := strings.ToLower(strings.TrimPrefix(id, "org_"))
	return strings.TrimPrefix(slug+"-"+notInSlug.ReplaceAllString(suffix, "-"), "-")
}

func newOrganizationID() string { return "org_" + rand.Text() }
