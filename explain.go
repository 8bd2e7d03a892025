package claimsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// StateUnlinked is an organization without a Clerk id: there is nothing to push to. The other states are outbox's.
const StateUnlinked outbox.State = "unlinked"

// deliveriesExplained is how many of the latest deliveries an Explanation has.
const deliveriesExplained = 10

// Explanation is where one organization stands at Clerk and why, at one instant.
type Explanation struct {
	// Organization is ours; nil: none is linked to the Clerk organization any more.
	Organization *scoring.Organization
	ClerkOrgID   string // "": it is not linked
	State        outbox.State

	// Result is that of its score, with the parts that are not stored; nil: it has none yet.
	Result *scoring.Result

	Row        outbox.Detail     // zero: it was never marked
	Job        *rivertype.JobRow // that is to push it; nil: none, or it was deleted
	Deliveries []outbox.Delivery
	// Contested: it had to be pushed over so often of late that somebody else must be writing it too.
	Contested bool

	// Change is what foreign writers have changed of it, and nobody has calculated yet.
	Change QueuedChange

	WaitingFor WaitingFor
	Until      *time.Time // when that is over, or looked at again; nil: nobody can know

	Gate Gate
}

// Explain returns where an organization stands and why. id is ours or Clerk's, also that of a Clerk organization which was
// unlinked. Returns scoring.ErrNotFound for any other.
func (s *Sync) Explain(ctx context.Context, river River, id string) (*Explanation, error) {
	var e *Explanation
	err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		e, err = s.explainTx(ctx, tx, river, id)
		return err
	})
	return e, err
}

func (s *Sync) explainTx(ctx context.Context, tx pgx.Tx, river River, id string) (*Explanation, error) {
	e := &Explanation{}
	found, err := s.findTx(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	e.Organization, e.Result, e.ClerkOrgID = found.organization, found.result, found.key
	if e.Gate, err = s.gateTx(ctx, tx, river); err != nil {
		return nil, err
	}
	if e.ClerkOrgID != "" {
		if err := s.rowTx(ctx, tx, river, e); err != nil {
			return nil, err
		}
	}
	if e.Change, err = queuedTx(ctx, tx, e); err != nil {
		return nil, err
	}
	e.State = stateOf(e.ClerkOrgID != "", e.Row.State)
	e.WaitingFor, e.Until = e.waiting(s.outbox.Lease())
	return e, nil
}

// rowTx adds what the outbox knows.
func (s *Sync) rowTx(ctx context.Context, tx pgx.Tx, river River, e *Explanation) (err error) {
	if e.Row, _, err = s.outbox.Detail(ctx, tx, Topic, e.ClerkOrgID); err != nil {
		return err
	}
	if e.Deliveries, err = s.outbox.Deliveries(ctx, tx, Topic, e.ClerkOrgID, 0, deliveriesExplained); err != nil {
		return err
	}
	contested, err := s.outbox.Contested(ctx, tx, Topic, e.ClerkOrgID)
	if err != nil {
		return err
	}
	e.Contested = len(contested) > 0
	if e.Row.JobID == nil {
		return nil
	}
	e.Job, err = river.JobGetTx(ctx, tx, *e.Row.JobID)
	if err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("looking at job %d: %w", *e.Row.JobID, err)
	}
	return nil
}

// Deliveries returns the deliveries to a Clerk organization, newest first: at most limit, after the one with the ID before; 0:
// the newest.
func (s *Sync) Deliveries(ctx context.Context, clerkOrgID string, before int64, limit int32) ([]outbox.Delivery, error) {
	return s.outbox.Deliveries(ctx, s.jobs.Pool, Topic, clerkOrgID, before, limit)
}

// stateOf: one without a row is dirty, for Clerk has never been told.
func stateOf(linked bool, row outbox.State) outbox.State {
	switch {
	case !linked:
		return StateUnlinked
	case row == "":
		return outbox.StateDirty
	}
	return row
}
