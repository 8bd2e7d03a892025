package claims

import (
	"slices"
	"time"
)

// Claims are what a session token says, once it is verified. Of the values that claimsync pushes each is optional: nil is
// not zero, it is not known. The token of somebody without an active organization has none of them, nor has that of an
// organization which was never linked; one that is no value of its kind is left out and in Malformed.
type Claims struct {
	Subject        string // the user, user_…
	SessionID      string // sess_…
	OrganizationID string // the active organization, org_…; "": none
	Role           string // the user's in it, as org:admin; "": none

	IssuedAt  time.Time
	ExpiresAt time.Time

	Tier           *Tier
	Score          *int // 0..100
	InsuranceValid *bool

	// AsOf is when the three were read from Postgres: what was committed there before is in them. It says how old they are,
	// which the token's own age does not: see the package's documentation on freshness.
	AsOf *time.Time

	// Malformed names the claims that the token has, but not in a form that can be accepted.
	Malformed []string
}

// Tier is a certification tier.
type Tier string

// The tiers, the lowest first.
const (
	Accredited   Tier = "ACCREDITED"
	Certified    Tier = "CERTIFIED"
	MasterRoofer Tier = "MASTER_ROOFER"
)

var tiers = []Tier{Accredited, Certified, MasterRoofer}

// AtLeast tells whether the tier is least or one above it. One that is unknown is neither above nor below any.
func (t Tier) AtLeast(least Tier) bool {
	at, from := slices.Index(tiers, t), slices.Index(tiers, least)
	return from >= 0 && at >= from
}
