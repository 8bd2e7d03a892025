package claimsync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/outbox"
)

// renewStep looks at the next organizations of the walk, if it is time, and marks those that have become old. Where the walk
// has come moves in the same transaction. Returns how many it looked at: none if it is not time, or another process is at it.
func (s *Sync) renewStep(ctx context.Context, waker outbox.Waker) (walked int, err error) {
	var ended *dbsqlc.Backfill
	err = db.Transact(ctx, s.jobs.Pool, func(tx pgx.Tx) error {
		walked, ended = 0, nil
		walk, ok, err := s.renewalTx(ctx, tx)
		if !ok || err != nil {
			return err
		}
		size := s.renewal.size(walk.Total, walk.Done, walk.Now.Sub(walk.StartedAt))
		if size == 0 {
			return nil
		}
		queries := dbsqlc.New()
		ids, err := queries.OrganizationListAfter(ctx, tx, dbsqlc.OrganizationListAfterParams{AfterID: walk.AfterID, MaxRows: size})
		if err != nil {
			return err
		}
		if walked = len(ids); walked == 0 {
			row, err := queries.BackfillFinish(ctx, tx, dbsqlc.BackfillKindRenew)
			ended = &row
			return err
		}
		renewed, err := s.renewTx(ctx, tx, waker, ids)
		if err != nil {
			return err
		}
		_, err = queries.BackfillAdvance(ctx, tx, dbsqlc.BackfillAdvanceParams{
			Kind: dbsqlc.BackfillKindRenew, AfterID: ids[walked-1], Done: int64(walked), Changed: int64(renewed),
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("renewing claims: %w", err)
	}
	if ended != nil {
		s.logRenewal(ctx, ended)
	}
	return walked, nil
}

// logRenewal tells of a walk that has ended, and warns if it took so long that what it passed may have become too old.
func (s *Sync) logRenewal(ctx context.Context, walk *dbsqlc.Backfill) {
	took := walk.FinishedAt.Sub(walk.StartedAt)
	attrs := []any{"organizations", walk.Done, "renewed", walk.Changed, "duration", took}
	if took > 2*s.renewal.period() {
		s.logger.WarnContext(ctx, "Claims are not renewed as often as they are to be: Clerk's budget has no room for it, or could not be called",
			append(attrs, "renew_every", s.renewal.every)...)
		return
	}
	s.logger.InfoContext(ctx, "Looked for claims to renew at all organizations", attrs...)
}

// renewalTx locks the walk; a new one is begun if it is time. Not ok: there is nothing to do now, because another process has
// it locked, the first one has only just begun, or it is not time for the next.
func (s *Sync) renewalTx(ctx context.Context, tx pgx.Tx) (walk dbsqlc.RenewalLockRow, ok bool, err error) {
	queries := dbsqlc.New()
	walk, err = queries.RenewalLock(ctx, tx)
	if errors.Is(err, pgx.ErrNoRows) {
		return walk, false, queries.RenewalInsert(ctx, tx)
	}
	if err != nil || !walk.Finished {
		return walk, err == nil, err
	}
	if !s.renewal.over(walk.Now.Sub(walk.StartedAt)) {
		return walk, false, nil
	}
	if err := queries.RenewalBegin(ctx, tx, s.renewal.period()); err != nil {
		return walk, false, err
	}
	walk, err = queries.RenewalLock(ctx, tx)
	return walk, err == nil, err
}

// renewTx marks those of the organizations that have become old. One whose values somebody else writes too is left to people:
// so its claims get old, which they are.
func (s *Sync) renewTx(ctx context.Context, tx pgx.Tx, waker outbox.Waker, ids []string) (renewed int, err error) {
	keys, err := dbsqlc.New().RenewalDue(ctx, tx, dbsqlc.RenewalDueParams{Topic: Topic, Ids: ids, Age: s.renewal.age()})
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	contested, err := s.outbox.Contested(ctx, tx, Topic, keys...)
	if err != nil {
		return 0, err
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return slices.Contains(contested, key) })
	return len(keys), s.outbox.MarkTx(ctx, tx, waker, Topic, outbox.PriorityBackfill, keys...)
}
