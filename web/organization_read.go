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
	// The organization, its facts and its outbox row, all at one instant.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	var found organization
	err = pgx.BeginTxFunc(r.Context(), s.config.Pool, snapshot, func(tx pgx.Tx) (err error) {
		found, err = s.readTx(r.Context(), tx, id)
		return err
	})
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

func (s *server) readTx(ctx context.Context, tx pgx.Tx, id string) (organization, error) {
	org, facts, err := s.config.Store.Get(ctx, tx, id)
	if err != nil {
		return organization{}, err
	}
	return s.describe(ctx, tx, &org, org.Result(&facts))
}
