package clerk

import "encoding/json"

// DifferenceKind is how a value at Clerk differs from what it should be.
type DifferenceKind string

// The kinds.
const (
	Changed       DifferenceKind = "changed"        // another value
	MissingKey    DifferenceKind = "missing_key"    // none
	WrongType     DifferenceKind = "wrong_type"     // a value of another type
	UnexpectedKey DifferenceKind = "unexpected_key" // a value where there is to be none
)

// Difference is one key whose value at Clerk is not what it should be.
type Difference struct {
	Kind DifferenceKind `json:"kind"`
	Key  string         `json:"key"`
	// Clerk is what Clerk has and Want what it should, as JSON: bounded, on one line, "" for none.
	Clerk string `json:"clerk"`
	Want  string `json:"want"`
}

// Differences tells in which of our Keys the organization is not as m says: the values, and neither the version nor when
// they were read. There are none exactly if it Agrees.
func (o Organization) Differences(m Metadata) []Difference {
	var differences []Difference
	differences = differ(differences, keyCertificationTier, o.CertificationTier, m.CertificationTier)
	differences = differ(differences, keyComplianceScore, o.ComplianceScore, m.ComplianceScore)
	return differ(differences, keyInsuranceValid, o.InsuranceValid, m.InsuranceValid)
}

// differ appends the difference, if there is one.
func differ[T comparable](differences []Difference, key string, found Value[T], want *T) []Difference {
	if found.is(want) {
		return differences
	}
	d := Difference{Key: key, Clerk: found.json(), Want: optionalJSON(want)}
	switch {
	case want == nil:
		d.Kind = UnexpectedKey
	case found.Presence == Absent:
		d.Kind = MissingKey
	case found.Presence == Malformed:
		d.Kind = WrongType
	default:
		d.Kind = Changed
	}
	return append(differences, d)
}

// Values returns what the organization has under our Keys, as JSON: bounded, on one line, no entry for none.
func (o Organization) Values() map[string]string {
	return values(o.CertificationTier.json(), o.ComplianceScore.json(), o.InsuranceValid.json())
}

// Values is what Organization.Values is where it is as m says.
func (m Metadata) Values() map[string]string {
	return values(optionalJSON(m.CertificationTier), optionalJSON(m.ComplianceScore), optionalJSON(m.InsuranceValid))
}

// values takes them in the order of Keys.
func values(inOrder ...string) map[string]string {
	byKey := map[string]string{}
	for i, key := range Keys() {
		if inOrder[i] != "" {
			byKey[key] = inOrder[i]
		}
	}
	return byKey
}

func optionalJSON[T any](value *T) string {
	if value == nil {
		return ""
	}
	return inJSON(*value)
}

func (v Value[T]) json() string {
	switch v.Presence {
	case Present:
		return inJSON(v.V)
	case Malformed:
		return v.Found
	default:
		return ""
	}
}

func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil { // not of a string, a number or a truth value
		return "?"
	}
	return oneLine(string(text))
}
