package web

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

type createBody struct {
	ID                optional[string] `json:"id"`
	Name              string           `json:"name"`
	ClerkOrgID        *string          `json:"clerk_org_id"`
	CertificationTier scoring.Tier     `json:"certification_tier"`
}

func (s *server) createOrganization(w http.ResponseWriter, r *http.Request) error {
	var body createBody
	if err := decodeBody(w, r, &body); err != nil {
		return err
	}
	org, err := body.organization()
	if err != nil {
		return err
	}
	return s.write(w, r, http.StatusCreated, func(tx pgx.Tx) (scoring.Organization, scoring.Result, error) {
		return s.config.Store.CreateTx(r.Context(), tx, org, databaseClock)
	})
}

// organization fills in what the body leaves to us. The id is then a UUIDv7: later organizations come later in the
// listing, and lie side by side in the index.
func (b *createBody) organization() (scoring.Organization, error) {
	org := scoring.Organization{
		ID: b.ID.value, Name: b.Name, ClerkOrgID: b.ClerkOrgID, CertificationTier: b.CertificationTier,
	}
	if !b.ID.given {
		id, err := uuid.NewV7()
		if err != nil {
			return org, fmt.Errorf("making an id: %w", err)
		}
		org.ID = id.String()
	}
	if org.CertificationTier == 0 {
		org.CertificationTier = scoring.Accredited
	}
	problems := append(scoring.ValidateID("id", org.ID), scoring.ValidateName("name", org.Name)...)
	if org.ClerkOrgID != nil {
		problems = append(problems, scoring.ValidateClerkOrgID("clerk_org_id", *org.ClerkOrgID)...)
	}
	return org, problems.Err()
}
