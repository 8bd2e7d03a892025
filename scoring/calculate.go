package scoring

import (
	"math"
	"time"
)

// The categories' shares in the overall score.
const (
	documentationWeight = 0.50
	insuranceWeight     = 0.25
	personnelWeight     = 0.15
	auditWeight         = 0.10
)

// Calculate scores valid facts (see [Facts.Validate]) as of now, at microsecond resolution. It changes nothing, and
// the order of the lists does not matter.
func Calculate(now time.Time, tier Tier, f *Facts) Result {
	at := microsOf(now)
	found := make([]Issue, 0, 16)

	documentation, found := scoreDocumentation(f, found)
	insurance, insuranceChange, found := scoreInsurance(f.InsurancePolicies, tier, at, found)
	personnel, personnelChange, found := scorePersonnel(f.Members, at, found)
	audit, auditChange, found := scoreAudit(f, at, found)
	insured, insuredChange := insuranceValid(f.InsurancePolicies, at)

	breakdown := Breakdown{documentation, insurance, personnel, audit}
	overall := breakdown.overall()
	return Result{
		OverallScore:    overall,
		Breakdown:       breakdown,
		Issues:          found,
		TierEligibility: eligibility(tier, overall, personnel.Details.LBPVerifiedCount, found),
		Metadata:        Metadata{tier, overall, insured},
		NextChange:      min(insuranceChange, personnelChange, auditChange, insuredChange).time(),
		InsuredUntil:    insuredChange.time(),
	}
}

// overall weighs the categories' rounded scores. The conversions keep a compiler from fusing multiplication and
// addition, which would round differently on some processors.
func (b *Breakdown) overall() int {
	return roundHalfUp(float64(documentationWeight*float64(b.Documentation.Score)) +
		float64(insuranceWeight*float64(b.Insurance.Score)) +
		float64(personnelWeight*float64(b.Personnel.Score)) +
		float64(auditWeight*float64(b.Audit.Score)))
}

// roundHalfUp differs from math.Round below zero, and from a banker's rounding at every half.
func roundHalfUp(x float64) int { return int(math.Floor(x + 0.5)) }

func clampScore(score int) int { return max(0, min(100, score)) }

// Status is the traffic light of a score.
type Status string

// The statuses of a score.
const (
	StatusCompliant Status = "compliant"
	StatusAtRisk    Status = "at_risk"
	StatusCritical  Status = "critical"
)

// ScoreStatus returns compliant from 90, at_risk from 70, and critical below.
func ScoreStatus(score int) Status {
	switch {
	case score >= 90:
		return StatusCompliant
	case score >= 70:
		return StatusAtRisk
	default:
		return StatusCritical
	}
}
