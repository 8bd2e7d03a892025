package web

import (
	"context"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// organization is the answer to whatever concerns one organization. The last three are null until it is calculated.
type organization struct {
	summary
	Breakdown       *scoring.Breakdown       `json:"breakdown"`
	Issues          []scoring.Issue          `json:"issues"`
	TierEligibility *scoring.TierEligibility `json:"tier_eligibility"`
}

// summary is an organization in a listing: what can be said of it without reading its facts.
type summary struct {
	ID                string             `json:"id"`
	Name              string             `json:"name"`
	ClerkOrgID        *string            `json:"clerk_org_id"`
	CertificationTier string             `json:"certification_tier"`
	ComplianceScore   *int               `json:"compliance_score"`
	InsuranceValid    *bool              `json:"insurance_valid"`
	CalculatedAt      *scoring.Timestamp `json:"calculated_at"`
	Sync              syncStatus         `json:"sync"`
}

// describe adds to an organization how it is synced, as conn sees it.
func (s *server) describe(
	ctx context.Context, conn db.Querier, org *scoring.Organization, result *scoring.Result,
) (organization, error) {
	var status outbox.Status
	if org.ClerkOrgID != nil {
		var err error
		status, _, err = s.config.Sync.Outbox().Status(ctx, conn, claimsync.Topic, *org.ClerkOrgID)
		if err != nil {
			return organization{}, err
		}
	}
	described := organization{summary: summaryOf(org, status)}
	if result != nil {
		described.Breakdown = &result.Breakdown
		described.Issues = result.Issues
		described.TierEligibility = &result.TierEligibility
	}
	return described, nil
}

func summaryOf(org *scoring.Organization, status outbox.Status) summary {
	s := summary{
		ID:                org.ID,
		Name:              org.Name,
		ClerkOrgID:        org.ClerkOrgID,
		CertificationTier: org.CertificationTier.String(),
		Sync:              syncStatusOf(org.ClerkOrgID, status),
	}
	if org.Score != nil {
		s.ComplianceScore = &org.Score.Overall
		s.InsuranceValid = &org.Score.InsuranceValid
		s.CalculatedAt = timestamp(&org.Score.CalculatedAt)
	}
	return s
}
