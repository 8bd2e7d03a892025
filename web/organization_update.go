package web

import (
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

// updateBody changes what it has. clerk_org_id may be null, which unlinks.
type updateBody struct {
	Name              optional[string]       `json:"name"`
	ClerkOrgID        optional[*string]      `json:"clerk_org_id"`
	CertificationTier optional[scoring.Tier] `json:"certification_tier"`
}

func (s *server) updateOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var body updateBody
	if err := decodeBody(w, r, &body); err != nil {
		return err
	}
	if err := body.validate().Err(); err != nil {
		return err
	}
	update := scoring.OrganizationUpdate{
		Name:              body.Name.pointer(),
		ClerkOrgID:        body.ClerkOrgID.pointer(),
		CertificationTier: body.CertificationTier.pointer(),
	}
	return s.write(w, r, http.StatusOK, func(tx pgx.Tx) (scoring.Organization, scoring.Result, error) {
		return s.config.Store.UpdateTx(r.Context(), tx, id, update, databaseClock)
	})
}

func (b *updateBody) validate() (problems scoring.Problems) {
	if b.Name.given {
		problems = scoring.ValidateName("name", b.Name.value)
	}
	if b.ClerkOrgID.value != nil {
		problems = append(problems, scoring.ValidateClerkOrgID("clerk_org_id", *b.ClerkOrgID.value)...)
	}
	return problems
}
