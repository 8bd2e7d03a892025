package scoring

import "time"

// Result is what [Calculate] finds. As JSON it is what the API and the score command answer.
type Result struct {
	OverallScore    int             `json:"overall_score"` // 0..100
	Breakdown       Breakdown       `json:"breakdown"`
	Issues          []Issue         `json:"issues"` // by category, then in the category's own order
	TierEligibility TierEligibility `json:"tier_eligibility"`
	Metadata        Metadata        `json:"metadata"`

	// NextChange is the first instant after now at which the overall score, a category's score or the validity of the
	// insurance becomes different with no fact changing; zero if that never happens. Figures that merely count, such
	// as the days to an expiry, do not make it earlier.
	NextChange time.Time `json:"-"`

	// InsuredUntil is the instant at which the validity of the insurance ends with no fact changing; zero if it is not
	// valid. It is not before NextChange.
	InsuredUntil time.Time `json:"-"`
}

// Breakdown is the overall score by category.
type Breakdown struct {
	Documentation DocumentationScore `json:"documentation"`
	Insurance     InsuranceScore     `json:"insurance"`
	Personnel     PersonnelScore     `json:"personnel"`
	Audit         AuditScore         `json:"audit"`
}

// DocumentationScore is the weighted mean of the elements.
type DocumentationScore struct {
	Score    int                        `json:"score"`
	Weight   float64                    `json:"weight"`
	Elements [elementCount]ElementScore `json:"elements"`
}

// ElementScore is how one element stands.
type ElementScore struct {
	Element        Element          `json:"element"`
	Status         AssessmentStatus `json:"status"`
	Score          float64          `json:"score"`
	Weight         float64          `json:"weight"`
	DocumentCount  int              `json:"document_count"`
	HasApprovedDoc bool             `json:"has_approved_doc"`
}

// InsuranceScore is the mean of the policy types that the tier requires.
type InsuranceScore struct {
	Score    int                          `json:"score"`
	Weight   float64                      `json:"weight"`
	Policies [policyTypeCount]PolicyScore `json:"policies"`
}

// PolicyScore is how one type of policy stands: the figures of the policy in force, null where there is none.
type PolicyScore struct {
	Type            PolicyType `json:"type"`
	Required        bool       `json:"required"`
	MinimumCoverage *Money     `json:"minimum_coverage"` // nil: not required
	ActualCoverage  *Money     `json:"actual_coverage"`
	IsValid         bool       `json:"is_valid"`
	ExpiresInDays   *int       `json:"expires_in_days"` // rounded up
	Score           int        `json:"score"`
}

// PersonnelScore is the sum of what the members bring.
type PersonnelScore struct {
	Score   int              `json:"score"`
	Weight  float64          `json:"weight"`
	Details PersonnelDetails `json:"details"`
}

// PersonnelDetails count the members. A licence holder may be in more than one of the LBP counts.
type PersonnelDetails struct {
	TotalMembers     int  `json:"total_members"`
	HasOwner         bool `json:"has_owner"`
	LBPVerifiedCount int  `json:"lbp_verified_count"`
	LBPPendingCount  int  `json:"lbp_pending_count"`
	LBPExpiredCount  int  `json:"lbp_expired_count"`
}

// AuditScore is the latest audit, less the overdue corrective actions.
type AuditScore struct {
	Score   int          `json:"score"`
	Weight  float64      `json:"weight"`
	Details AuditDetails `json:"details"`
}

// AuditDetails describe the latest completed audit, null where there is none, and count corrective actions.
type AuditDetails struct {
	LastAuditDate      *Timestamp   `json:"last_audit_date"`
	LastAuditRating    *AuditRating `json:"last_audit_rating"`
	DaysSinceLastAudit *int         `json:"days_since_last_audit"` // rounded down
	OpenCAPACount      int          `json:"open_capa_count"`
	OverdueCAPACount   int          `json:"overdue_capa_count"`
}

// TierEligibility tells whether the company may move up a tier. It never changes the tier by itself.
type TierEligibility struct {
	CurrentTier        Tier  `json:"current_tier"`
	NextTier           *Tier `json:"next_tier"` // nil at the highest tier
	EligibleForUpgrade bool  `json:"eligible_for_upgrade"`
	BlockerCount       int   `json:"blocker_count"`
}

// Metadata is what other applications read of the company in their session tokens.
type Metadata struct {
	CertificationTier Tier `json:"certification_tier"`
	ComplianceScore   int  `json:"compliance_score"`
	InsuranceValid    bool `json:"insurance_valid"`
}
