package clerktest

import "encoding/json"

// organizationJSON is an organization as Clerk answers it.
type organizationJSON struct {
	Object                string          `json:"object"`
	ID                    string          `json:"id"`
	Name                  string          `json:"name"`
	Slug                  string          `json:"slug"`
	ImageURL              string          `json:"image_url"`
	HasImage              bool            `json:"has_image"`
	MembersCount          *int64          `json:"members_count,omitempty"`
	MaxAllowedMemberships int64           `json:"max_allowed_memberships"`
	AdminDeleteEnabled    bool            `json:"admin_delete_enabled"`
	PublicMetadata        json.RawMessage `json:"public_metadata"`
	PrivateMetadata       json.RawMessage `json:"private_metadata,omitempty"` // empty only in webhooks
	CreatedBy             string          `json:"created_by,omitempty"`
	CreatedAt             int64           `json:"created_at"` // milliseconds
	UpdatedAt             int64           `json:"updated_at"` // milliseconds
}

func (o Organization) json() organizationJSON {
	return organizationJSON{
		Object:                "organization",
		ID:                    o.ID,
		Name:                  o.Name,
		Slug:                  o.Slug,
		ImageURL:              "https://img.clerk.com/" + o.ID,
		MaxAllowedMemberships: o.MaxAllowedMemberships,
		AdminDeleteEnabled:    o.AdminDeleteEnabled,
		PublicMetadata:        o.PublicMetadata,
		PrivateMetadata:       o.PrivateMetadata,
		CreatedBy:             o.CreatedBy,
		CreatedAt:             o.CreatedAt.UnixMilli(),
		UpdatedAt:             o.UpdatedAt.UnixMilli(),
	}
}

// withMembersCount adds what a client asked for with include_members_count. Nobody is a member here.
func (o organizationJSON) withMembersCount(wanted bool) organizationJSON {
	if wanted {
		o.MembersCount = new(int64)
	}
	return o
}
