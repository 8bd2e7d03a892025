package scoring

import "time"

// Audit is an external audit of the company.
type Audit struct {
	CompletedAt *time.Time   `json:"completed_at"` // nil: planned or under way, does not count yet
	Rating      *AuditRating `json:"rating"`       // nil: completed without a rating
}

// CAPARecord is a corrective or preventive action that an audit or an incident called for.
type CAPARecord struct {
	Status CAPAStatus `json:"status"`
}

// AuditRating is the outcome of an audit.
type AuditRating uint8

// The audit ratings, best first.
const (
	Pass AuditRating = iota + 1
	PassWithObservations
	ConditionalPass
	Fail
)

var auditRatings = words[AuditRating]{"audit rating", []string{
	"PASS", "PASS_WITH_OBSERVATIONS", "CONDITIONAL_PASS", "FAIL",
}}

func (r AuditRating) String() string { return auditRatings.name(r) }

// MarshalText gives the name on the wire and in the database.
func (r AuditRating) MarshalText() ([]byte, error) { return auditRatings.marshal(r) }

// UnmarshalText refuses an unknown name.
func (r *AuditRating) UnmarshalText(text []byte) error { return auditRatings.unmarshal(r, text) }

// CAPAStatus is how far a corrective action has come.
type CAPAStatus uint8

// The corrective action statuses.
const (
	CAPAOpen CAPAStatus = iota + 1
	CAPAInProgress
	CAPAPendingVerification
	CAPAClosed
	CAPAOverdue
)

var capaStatuses = words[CAPAStatus]{"CAPA status", []string{
	"OPEN", "IN_PROGRESS", "PENDING_VERIFICATION", "CLOSED", "OVERDUE",
}}

func (s CAPAStatus) String() string { return capaStatuses.name(s) }

// MarshalText gives the name on the wire and in the database.
func (s CAPAStatus) MarshalText() ([]byte, error) { return capaStatuses.marshal(s) }

// UnmarshalText refuses an unknown name.
func (s *CAPAStatus) UnmarshalText(text []byte) error { return capaStatuses.unmarshal(s, text) }
