package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/scoring"
)

// project is one that a company of roofers begins, with the policies that its insurers have confirmed for it.
type project struct {
	Organization string                    `json:"organization"`
	Name         string                    `json:"name"`
	Policies     []scoring.InsurancePolicy `json:"policies"`
}

// mailArgs is a job of the application's own.
type mailArgs struct {
	Project string `json:"project"`
}

// Kind is River's name of the job.
func (mailArgs) Kind() string { return "project_mail" }

type mailWorker struct {
	river.WorkerDefaults[mailArgs]
	logger *slog.Logger
}

func (w *mailWorker) Work(ctx context.Context, job *river.Job[mailArgs]) error {
	w.logger.InfoContext(ctx, "Mail sent", "project", job.Args.Project)
	return nil
}

func (a *application) postProject(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.staff(r); !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="monolith"`)
		http.Error(w, "This is for staff.", http.StatusUnauthorized)
		return
	}
	var p project
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err := db.Transact(r.Context(), a.pool, func(tx pgx.Tx) error { return a.beginTx(r.Context(), tx, p) })
	switch problems, invalid := errors.AsType[scoring.Problems](err); {
	case err == nil:
		w.WriteHeader(http.StatusCreated)
	case invalid:
		http.Error(w, problems.Error(), http.StatusUnprocessableEntity)
	case db.Code(err) == "23505":
		http.Error(w, "There is a project of that name.", http.StatusConflict)
	case errors.Is(err, scoring.ErrNotFound):
		http.Error(w, "There is no such organization.", http.StatusNotFound)
	default:
		http.Error(w, "That failed.", http.StatusInternalServerError)
	}
}

// beginTx begins a project: its row, its mail, and with its policies the company's score and what the CRM and Clerk have of
// it. All of that, or nothing.
func (a *application) beginTx(ctx context.Context, tx pgx.Tx, p project) error {
	if _, err := tx.Exec(ctx, "INSERT INTO projects (organization, name) VALUES ($1, $2)", p.Organization, p.Name); err != nil {
		return err
	}
	if _, err := a.river.InsertTx(ctx, tx, mailArgs{Project: p.Name}, nil); err != nil {
		return err
	}
	// claimsync: in the application's transaction.
	facts := &scoring.Facts{InsurancePolicies: p.Policies}
	if err := facts.Validate().Err(); err != nil {
		return err
	}
	if _, _, err := a.scores.ReplaceFactsTx(ctx, tx, p.Organization, facts, time.Time{}); err != nil {
		return err
	}
	return a.markAccount(ctx, tx, p.Organization) // also if the score is as it was
	// end
}

// staff is the application's own authentication, and by that claimsync's.
func (a *application) staff(r *http.Request) (name string, ok bool) {
	name, password, _ := r.BasicAuth()
	known := a.staffPassword != "" && subtle.ConstantTimeCompare([]byte(password), []byte(a.staffPassword)) == 1
	return name, known
}
