package scoring

import "time"

// Facts are what is recorded about a company. A nil list was not given, which [Calculate] treats as empty and an
// update treats as "leave what is there"; an empty list was given as empty.
type Facts struct {
	Documents         []Document        `json:"documents,omitzero"`
	Assessments       []Assessment      `json:"assessments,omitzero"`
	InsurancePolicies []InsurancePolicy `json:"insurance_policies,omitzero"`
	Members           []Member          `json:"members,omitzero"`
	Audits            []Audit           `json:"audits,omitzero"`
	CAPARecords       []CAPARecord      `json:"capa_records,omitzero"`
}

// Snapshot is everything a calculation depends on.
type Snapshot struct {
	Now               time.Time `json:"now"`
	CertificationTier Tier      `json:"certification_tier"`
	Facts
}

// Calculate scores the snapshot.
func (s *Snapshot) Calculate() Result { return Calculate(s.Now, s.CertificationTier, &s.Facts) }
