package scoring

import (
	"regexp"
	"strings"
	"unicode"
)

// maxName is the longest name of an organization, in characters: Clerk's own limit.
const maxName = 256

var (
	organizationID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$`)
	// Clerk's ids go into its URL as they are, hence nothing but letters and digits.
	clerkOrgID = regexp.MustCompile(`^org_[A-Za-z0-9]{1,128}$`)
)

// Validate reports everything that keeps the organization from being stored.
func (o *OrganizationFacts) Validate() Problems {
	ps := Problems{}
	ps = append(ps, ValidateID("id", o.ID)...)
	ps = append(ps, ValidateName("name", o.Name)...)
	if o.ClerkOrgID != nil {
		ps = append(ps, ValidateClerkOrgID("clerk_org_id", *o.ClerkOrgID)...)
	}
	checkWord(&ps, tiers, o.CertificationTier, "certification_tier")
	return append(ps, o.Facts.Validate()...)
}

// ValidateID checks the id of an organization.
func ValidateID(field, id string) (ps Problems) {
	switch {
	case id == "":
		ps.add(field, "%v", errAbsent)
	case !organizationID.MatchString(id):
		ps.add(field, "must be 1 to 128 letters, digits or . _ ~ : @ -, the first a letter or digit")
	}
	return ps
}

// ValidateName checks the name of an organization.
func ValidateName(field, name string) (ps Problems) {
	if strings.TrimSpace(name) == "" {
		ps.add(field, "%v", errAbsent)
		return ps
	}
	checkText(&ps, name, maxName, field)
	if strings.ContainsFunc(name, unicode.IsControl) && len(ps) == 0 {
		ps.add(field, "must not contain control characters")
	}
	return ps
}

// ValidateClerkOrgID checks the id of a Clerk organization.
func ValidateClerkOrgID(field, id string) (ps Problems) {
	if !clerkOrgID.MatchString(id) {
		ps.add(field, "must be org_ followed by letters and digits")
	}
	return ps
}
