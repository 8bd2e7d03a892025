package claimsync

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
)

// redriveBatch is how many organizations one transaction redrives.
const redriveBatch = 200

// Redrive has those of the keys pushed again that are parked, as if they had changed, and returns them. waker inserts the
// jobs. A key is a Clerk organization, see Key: whatever is linked to it when it is pushed is what is pushed.
func (s *Sync) Redrive(ctx context.Context, waker outbox.Waker, keys ...string) (redriven []string, err error) {
	return s.redrive(ctx, waker, outbox.PriorityLive, keys)
}

// Redriving says what RedriveAll is about.
type Redriving struct {
	Reason   string                  // what is parked for it; "": for whatever reason
	Until    time.Time               // what was parked by then; zero: by now
	Progress func(done, total int64) // is told how many were looked at, of how many; may be nil
}

// RedriveAll is Redrive for many; what parks again meanwhile is left. All changes that are made go first. Returns how many were
// redriven, also with an error.
func (s *Sync) RedriveAll(ctx context.Context, waker outbox.Waker, what Redriving) (redriven int64, err error) {
	query, total, err := s.parkedUntil(ctx, what)
	if err != nil {
		return 0, err
	}
	progress := what.Progress
	if progress == nil {
		progress = func(int64, int64) {}
	}
	progress(0, total)
	for done := int64(0); ; {
		page, err := s.outbox.ParkedKeys(ctx, s.jobs.Pool, Topic, query)
		if err != nil || len(page) == 0 {
			return redriven, err
		}
		keys := make([]string, len(page))
		for i, parked := range page {
			keys[i] = parked.Key
		}
		batch, err := s.redrive(ctx, waker, outbox.PriorityBackfill, keys)
		if err != nil {
			return redriven, err
		}
		redriven += int64(len(batch))
		done += int64(len(page))
		progress(done, max(done, total))
		query.After = page[len(page)-1]
	}
}

// parkedUntil asks for what was parked so until then.
func (s *Sync) parkedUntil(ctx context.Context, what Redriving) (query outbox.ParkedQuery, total int64, err error) {
	parked, err := s.outbox.ParkedReasons(ctx, s.jobs.Pool, Topic, math.MaxInt32)
	query = outbox.ParkedQuery{Reason: what.Reason, Limit: redriveBatch}
	for _, p := range parked {
		if what.Reason == "" || p.Reason == what.Reason {
			total += p.Rows
			if p.LastParkedAt.After(query.Until) {
				query.Until = p.LastParkedAt
			}
		}
	}
	if !what.Until.IsZero() && what.Until.Before(query.Until) {
		query.Until = what.Until
	}
	return query, total, err
}

func (s *Sync) redrive(
	ctx context.Context, waker outbox.Waker, priority outbox.Priority, keys []string,
) (redriven []string, err error) {
	err = db.Transact(ctx, s.jobs.Pool, func(tx pgx.Tx) (err error) {
		redriven, err = s.outbox.RedriveTx(ctx, tx, waker, Topic, priority, keys...)
		return err
	})
	return redriven, err
}
