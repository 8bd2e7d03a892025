package scoring

import "time"

// Member is a person of the company. LBP stands for licensed building practitioner.
type Member struct {
	Role        Role       `json:"role"`
	LBPNumber   *string    `json:"lbp_number"` // nil or empty: holds no licence
	LBPVerified bool       `json:"lbp_verified"`
	LBPStatus   *LBPStatus `json:"lbp_status"` // nil: never looked up
	LBPExpiry   *time.Time `json:"lbp_expiry"` // nil: not known
}

func (m *Member) holdsLBP() bool { return m.LBPNumber != nil && *m.LBPNumber != "" }

// Role is what a member is to the company.
type Role uint8

// The roles.
const (
	Owner Role = iota + 1
	Admin
	Staff
)

var roles = words[Role]{"role", []string{"OWNER", "ADMIN", "STAFF"}}

func (r Role) String() string { return roles.name(r) }

// MarshalText gives the name on the wire and in the database.
func (r Role) MarshalText() ([]byte, error) { return roles.marshal(r) }

// UnmarshalText refuses an unknown name.
func (r *Role) UnmarshalText(text []byte) error { return roles.unmarshal(r, text) }

// LBPStatus is what the public register says of a licence.
type LBPStatus uint8

// The licence statuses.
const (
	LBPCurrent LBPStatus = iota + 1
	LBPSuspended
	LBPCancelled
	LBPExpired
	LBPNotFound
)

var lbpStatuses = words[LBPStatus]{"LBP status", []string{
	"CURRENT", "SUSPENDED", "CANCELLED", "EXPIRED", "NOT_FOUND",
}}

func (s LBPStatus) String() string { return lbpStatuses.name(s) }

// MarshalText gives the name on the wire and in the database.
func (s LBPStatus) MarshalText() ([]byte, error) { return lbpStatuses.marshal(s) }

// UnmarshalText refuses an unknown name.
func (s *LBPStatus) UnmarshalText(text []byte) error { return lbpStatuses.unmarshal(s, text) }
