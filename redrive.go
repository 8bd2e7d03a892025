package claimsync

import (
	"context"

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

// RedriveAll is Redrive for all that is parked for the reason now, "" for whatever reason; what parks again meanwhile is
// left. All changes that are made go first. progress, if it is not nil, is told how many were looked at, of how many.
// Returns how many were redriven, also with an error.
func (s *Sync) RedriveAll(
	ctx context.Context, waker outbox.Waker, reason string, progress func(done, total int64),
) (redriven int64, err error) {
	query, total, err := s.parkedNow(ctx, reason)
	if err != nil {
		return 0, err
	}
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

// parkedNow asks for what is parked for the reason by now.
func (s *Sync) parkedNow(ctx context.Context, reason string) (query outbox.ParkedQuery, total int64, err error) {
	parked, err := s.outbox.ParkedReasons(ctx, s.jobs.Pool, Topic)
	query = outbox.ParkedQuery{Reason: reason, Limit: redriveBatch}
	for _, p := range parked {
		if reason == "" || p.Reason == reason {
			total += p.Rows
			if p.LastParkedAt.After(query.Until) {
				query.Until = p.LastParkedAt
			}
		}
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
