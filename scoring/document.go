package scoring

// Document is a quality document that covers one element.
type Document struct {
	Element Element        `json:"iso_element"`
	Status  DocumentStatus `json:"status"`
	Deleted bool           `json:"deleted"`
}

// Assessment is an assessor's verdict on one element. It overrides what the element's documents suggest, and there is
// at most one for each element.
type Assessment struct {
	Element Element          `json:"iso_element"`
	Status  AssessmentStatus `json:"status"`
	Score   float64          `json:"score"` // 0..100, possibly fractional
}

// DocumentStatus is where a document stands in its life cycle.
type DocumentStatus uint8

// The document statuses.
const (
	DocumentDraft DocumentStatus = iota + 1
	DocumentPendingApproval
	DocumentApproved
	DocumentSuperseded
	DocumentArchived
)

var documentStatuses = words[DocumentStatus]{"document status", []string{
	"DRAFT", "PENDING_APPROVAL", "APPROVED", "SUPERSEDED", "ARCHIVED",
}}

func (s DocumentStatus) String() string { return documentStatuses.name(s) }

// MarshalText gives the name on the wire and in the database.
func (s DocumentStatus) MarshalText() ([]byte, error) { return documentStatuses.marshal(s) }

// UnmarshalText refuses an unknown name.
func (s *DocumentStatus) UnmarshalText(text []byte) error {
	return documentStatuses.unmarshal(s, text)
}

// AssessmentStatus is how far an element complies.
type AssessmentStatus uint8

// The assessment statuses.
const (
	Compliant AssessmentStatus = iota + 1
	Partial
	NonCompliant
	NotAssessed
	NotApplicable
)

var assessmentStatuses = words[AssessmentStatus]{"assessment status", []string{
	"COMPLIANT", "PARTIAL", "NON_COMPLIANT", "NOT_ASSESSED", "NOT_APPLICABLE",
}}

func (s AssessmentStatus) String() string { return assessmentStatuses.name(s) }

// MarshalText gives the name on the wire and in the database.
func (s AssessmentStatus) MarshalText() ([]byte, error) { return assessmentStatuses.marshal(s) }

// UnmarshalText refuses an unknown name.
func (s *AssessmentStatus) UnmarshalText(text []byte) error {
	return assessmentStatuses.unmarshal(s, text)
}
