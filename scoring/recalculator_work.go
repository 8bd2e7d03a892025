package scoring

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
)

const (
	// dueBatch is how many organizations one transaction calculates: their rows are locked meanwhile, for some 30 ms.
	dueBatch = 100
	// bulkEvery is of how many batches of foreign writers' changes one begins with those that come last.
	bulkEvery = 4
	// dueEvery is how often is looked for what is due. It costs three looks into an index.
	dueEvery = time.Second
	// dueLockTimeout bounds how long a batch waits for a row of the outbox that somebody does not let go, or for a contended
	// organization.
	dueLockTimeout = "1s"
)

// recalculation calculates a batch of what is due for one reason.
type recalculation func(context.Context, pgx.Tx, DueQuery) (Due, error)

// work calculates batch after batch. One that fails is tried again organization by organization, so that one that cannot
// be calculated does not keep the others.
func (r *Recalculator) work(ctx context.Context, recalculate recalculation) {
	alone := 0 // so many are still to be tried alone
	failing := false
	for turn := 1; ctx.Err() == nil; turn++ {
		started, query := time.Now(), DueQuery{Limit: dueBatch, BulkFirst: turn%bulkEvery == 0}
		if alone > 0 {
			query.Limit = 1
		}
		due, err := r.batch(ctx, recalculate, query)
		pause := time.Since(started)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && len(due.IDs) > 1:
			alone = len(due.IDs)
		case err != nil && len(due.IDs) == 1:
			r.setAside(ctx, due.IDs[0], err)
			alone--
			pause = idle()
		case err != nil || len(due.IDs) == 0:
			alone = 0
			pause = idle()
		default:
			alone = max(0, alone-1)
		}
		if down := err != nil && len(due.IDs) == 0; down != failing {
			failing = down
			r.logDown(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// idle is until is looked again where nothing is due. Random, so that processes do not fall in step.
func idle() time.Duration { return dueEvery - dueEvery/8 + rand.N(dueEvery/4) }

func (r *Recalculator) logDown(ctx context.Context, err error) {
	if err != nil {
		r.config.Logger.ErrorContext(ctx, "Looking for what is due to be recalculated fails", "err", err)
	} else {
		r.config.Logger.InfoContext(ctx, "Looking for what is due to be recalculated works again")
	}
}

// batch calculates a batch in a transaction that waits for nobody long, and tells the observer. On an error, the ids are
// those that were tried.
func (r *Recalculator) batch(ctx context.Context, recalculate recalculation, query DueQuery) (due Due, err error) {
	// Mostly there is nothing, which is found out by one statement.
	anything, err := r.config.Store.queries.OrganizationsAnyDue(ctx, r.config.Pool)
	if err != nil || !anything {
		return Due{}, err
	}
	var now time.Time
	query.Skipped = r.aside.skipped()
	err = db.Transact(ctx, r.config.Pool, func(tx pgx.Tx) (err error) {
		due = Due{}
		if err := tx.QueryRow(ctx, "SELECT now() FROM set_config('lock_timeout', $1, true)", dueLockTimeout).Scan(&now); err != nil {
			return err
		}
		due, err = recalculate(ctx, tx, query)
		return err
	})
	if err == nil && len(due.IDs) > 0 {
		r.config.Observer.Recalculated(due.Changed, len(due.IDs)-due.Changed, now.Sub(due.DueAt))
	}
	return due, err
}

// setAside leaves an organization for a while.
func (r *Recalculator) setAside(ctx context.Context, id string, err error) {
	if db.Code(err) == lockNotAvailable { // somebody holds what it needs, which is no fault of its own
		r.aside.leave(id)
		return
	}
	pause := r.aside.fail(id)
	r.config.Observer.RecalculationFailed()
	r.config.Logger.ErrorContext(ctx, "Organization is due and cannot be recalculated", "organization_id", id,
		"again_in", pause, "err", err)
}
