package scoring

// Issue is one finding that lowers a score or should be looked at. Code identifies it; Message is for people, and its
// wording may change.
type Issue struct {
	Category Category `json:"category"`
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
}

// Category is one of the four parts of the overall score.
type Category uint8

// The categories, in the order in which they are scored and reported.
const (
	CategoryDocumentation Category = iota + 1
	CategoryInsurance
	CategoryPersonnel
	CategoryAudit
)

var categories = words[Category]{"category", []string{"documentation", "insurance", "personnel", "audit"}}

func (c Category) String() string { return categories.name(c) }

// MarshalText gives the name on the wire.
func (c Category) MarshalText() ([]byte, error) { return categories.marshal(c) }

// UnmarshalText refuses an unknown name.
func (c *Category) UnmarshalText(text []byte) error { return categories.unmarshal(c, text) }

// Severity is how grave an issue is. Severities ascend, so they compare with <.
type Severity uint8

// The severities. A critical issue blocks the way to the next tier.
const (
	SeverityInfo Severity = iota + 1
	SeverityWarning
	SeverityCritical
)

var severities = words[Severity]{"severity", []string{"info", "warning", "critical"}}

func (s Severity) String() string { return severities.name(s) }

// MarshalText gives the name on the wire.
func (s Severity) MarshalText() ([]byte, error) { return severities.marshal(s) }

// UnmarshalText refuses an unknown name.
func (s *Severity) UnmarshalText(text []byte) error { return severities.unmarshal(s, text) }
