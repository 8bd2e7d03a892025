package clerk

import (
	"context"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// Organization is an organization as Clerk has it, with our part of its metadata.
type Organization struct {
	ID   string
	Name string
	Slug string

	CertificationTier Value[string]
	ComplianceScore   Value[int]
	InsuranceValid    Value[bool]
	// Version is the stamp of our last write that landed.
	Version Value[int64]

	CreatedAt time.Time
	UpdatedAt time.Time

	private metadata
}

// Holds tells whether the organization has exactly what m says, the version included.
func (o Organization) Holds(m Metadata) bool { return o.Version.is(&m.Version) && o.Agrees(m) }

// Confirms is Holds as far as can be seen. Clerk's description of the API does not promise private metadata in an answer,
// so a version that is not told is no contradiction.
func (o Organization) Confirms(m Metadata) bool {
	return o.Agrees(m) && (o.Version.Presence == Absent || o.Version.is(&m.Version))
}

// Agrees is Holds without the version: the values that a front end can see are right, whoever wrote them, and whenever.
func (o Organization) Agrees(m Metadata) bool {
	return o.CertificationTier.is(m.CertificationTier) &&
		o.ComplianceScore.is(m.ComplianceScore) &&
		o.InsuranceValid.is(m.InsuranceValid)
}

// TellsPrivateMetadata reports whether Clerk has shown the private metadata at all. If not, what is said of them, Version
// included, is that they are absent.
func (o Organization) TellsPrivateMetadata() bool {
	return o.private.malformed != nil || o.private.members != nil
}

// PrivateString returns the string that is in the private metadata under the key.
func (o Organization) PrivateString(key string) Value[string] { return read[string](o.private, key) }

// Organization reads the organization as Clerk has it now. A failure is an *Error, never Ambiguous.
//
// https://clerk.com/docs/reference/backend-api/tag/organizations/get/organizations/{organization_id}
func (c *Client) Organization(ctx context.Context, id string) (Organization, Receipt, error) {
	if err := checkOrganizationID(id); err != nil {
		return Organization{}, Receipt{}, &Error{Action: Park, Err: err}
	}
	get := func(ctx context.Context) (*clerksdk.Organization, error) { return c.organizations.Get(ctx, id) }
	return c.call(ctx, reads, get, func(answer Organization) error {
		if answer.ID != id {
			return errOtherAnswer
		}
		return nil
	})
}

func organizationFrom(o *clerksdk.Organization) Organization {
	public, private := object(o.PublicMetadata), object(o.PrivateMetadata)
	return Organization{
		ID:                o.ID,
		Name:              o.Name,
		Slug:              o.Slug,
		CertificationTier: read[string](public, keyCertificationTier),
		ComplianceScore:   read[int](public, keyComplianceScore),
		InsuranceValid:    read[bool](public, keyInsuranceValid),
		Version:           read[int64](private, keyStamp, "version"),
		CreatedAt:         time.UnixMilli(o.CreatedAt),
		UpdatedAt:         time.UnixMilli(o.UpdatedAt),
		private:           private,
	}
}
