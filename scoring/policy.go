package scoring

import "time"

// InsurancePolicy is one policy the company holds or held.
type InsurancePolicy struct {
	Type           PolicyType `json:"policy_type"`
	CoverageAmount Money      `json:"coverage_amount"`
	ExpiryDate     time.Time  `json:"expiry_date"`
}

// PolicyType is the kind of risk a policy insures.
type PolicyType uint8

// The policy types, in the order in which they are scored and reported.
const (
	PublicLiability PolicyType = iota + 1
	ProfessionalIndemnity
	StatutoryLiability
	EmployersLiability
	MotorVehicle
	ContractWorks
)

const policyTypeCount = int(ContractWorks)

var policyTypes = words[PolicyType]{"policy type", []string{
	"PUBLIC_LIABILITY", "PROFESSIONAL_INDEMNITY", "STATUTORY_LIABILITY", "EMPLOYERS_LIABILITY", "MOTOR_VEHICLE",
	"CONTRACT_WORKS",
}}

var policyTitles = [policyTypeCount]string{
	"Public liability", "Professional indemnity", "Statutory liability", "Employers liability", "Motor vehicle",
	"Contract works",
}

// minimumCoverage holds the cover each tier requires of the first policy types; the types after them are not required.
var minimumCoverage = [...][3]Money{
	Accredited - 1:   {Dollars(1_000_000), Dollars(500_000), Dollars(500_000)},
	Certified - 1:    {Dollars(2_000_000), Dollars(1_000_000), Dollars(1_000_000)},
	MasterRoofer - 1: {Dollars(5_000_000), Dollars(2_000_000), Dollars(1_000_000)},
}

// PolicyTypes lists the policy types in the order in which they are scored and reported.
func PolicyTypes() []PolicyType { return policyTypes.all() }

// MinimumCoverage returns the cover that a tier requires of a policy type; ok is false where it requires none.
func MinimumCoverage(tier Tier, t PolicyType) (minimum Money, ok bool) {
	if !tiers.valid(tier) || t < PublicLiability || t > StatutoryLiability {
		return 0, false
	}
	return minimumCoverage[tier-1][t-1], true
}

func (t PolicyType) String() string { return policyTypes.name(t) }

// Title is the type's name as a person reads it, such as "Public liability".
func (t PolicyType) Title() string {
	if !policyTypes.valid(t) {
		return t.String()
	}
	return policyTitles[t-1]
}

// MarshalText gives the name on the wire and in the database.
func (t PolicyType) MarshalText() ([]byte, error) { return policyTypes.marshal(t) }

// UnmarshalText refuses an unknown name.
func (t *PolicyType) UnmarshalText(text []byte) error { return policyTypes.unmarshal(t, text) }
