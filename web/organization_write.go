package web

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/scoring"
)

// databaseClock has the Store calculate as of the database's time: one clock for all that write.
var databaseClock time.Time

func (s *server) replaceFacts(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var facts scoring.Facts
	if err := decodeBody(w, r, &facts); err != nil {
		return err
	}
	if err := facts.Validate().Err(); err != nil {
		return err
	}
	return s.write(w, r, http.StatusOK, func(tx pgx.Tx) (scoring.Organization, scoring.Result, error) {
		return s.config.Store.ReplaceFactsTx(r.Context(), tx, id, &facts, databaseClock)
	})
}

func (s *server) recalculateOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := expectNoBody(w, r); err != nil {
		return err
	}
	return s.write(w, r, http.StatusOK, func(tx pgx.Tx) (scoring.Organization, scoring.Result, error) {
		return s.config.Store.RecalculateTx(r.Context(), tx, id, databaseClock)
	})
}

func (s *server) deleteOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	err = db.Transact(r.Context(), s.config.Pool, func(tx pgx.Tx) error {
		return s.config.Store.DeleteTx(r.Context(), tx, id)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// syncOrganization has the organization pushed again, also if it is clean; the push itself comes later, hence 202.
func (s *server) syncOrganization(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if err := expectNoBody(w, r); err != nil {
		return err
	}
	var marked organization
	err = db.Transact(r.Context(), s.config.Pool, func(tx pgx.Tx) error {
		linked, err := s.config.Store.MarkTx(r.Context(), tx, id)
		if err != nil {
			return err
		}
		if !linked {
			return errNotLinked
		}
		marked, err = s.readTx(r.Context(), tx, id)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusAccepted, marked)
}

var errNotLinked = newProblem(http.StatusConflict, "The organization is not linked, so there is nowhere to push to.",
	scoring.Problem{Field: "clerk_org_id", Message: "is null"})

// change is one of the Store's changes to an organization.
type change func(pgx.Tx) (scoring.Organization, scoring.Result, error)

// write commits the change and answers with the organization as the transaction left it.
func (s *server) write(w http.ResponseWriter, r *http.Request, status int, change change) error {
	var written organization
	err := db.Transact(r.Context(), s.config.Pool, func(tx pgx.Tx) error {
		org, result, err := change(tx)
		if err != nil {
			return err
		}
		written, err = s.describe(r.Context(), tx, &org, &result)
		return err
	})
	if err != nil {
		return err
	}
	if status == http.StatusCreated {
		w.Header().Set("Location", s.config.Prefix+"/v1/organizations/"+written.ID) // its characters need no escaping in a path
	}
	return answer(w, status, written)
}
