package web

import (
	"context"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/scoring"
)

func (s *server) getOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.read(r.Context(), id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, found)
}

// pathID returns the id in the path. One that no organization can have is not asked for: Postgres would not take it.
func pathID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if len(scoring.ValidateID("id", id)) > 0 {
		return "", scoring.ErrNotFound
	}
	return id, nil
}

// read sees the organization, its facts and its outbox row at one instant.
func (s *server) read(ctx context.Context, id string) (found organization, err error) {
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, s.config.Pool, snapshot, func(tx pgx.Tx) error {
		found, err = s.readTx(ctx, tx, id)
		return err
	})
	return found, err
}

func (s *server) readTx(ctx context.Context, tx pgx.Tx, id string) (organization, error) {
	org, facts, err := s.config.Store.Get(ctx, tx, id)
	if err != nil {
		return organization{}, err
	}
	return s.describe(ctx, tx, &org, repeated(&org, &facts))
}

// repeated calculates once more what is stored of a score, for the parts of it that are not. It agrees with what is
// stored as long as the facts are changed through the Store; after others changed them, it is up to date before the
// stored score is.
func repeated(org *scoring.Organization, facts *scoring.Facts) *scoring.Result {
	if org.Score == nil {
		return nil
	}
	return new(scoring.Calculate(org.Score.CalculatedAt, org.CertificationTier, facts))
}
