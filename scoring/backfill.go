package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// backfillBatch is how many organizations one step does: what it locks it holds for some 30 ms.
	backfillBatch = 200
	// backfillLockTimeout bounds how long a step waits for a row that somebody else holds, and so for how long others wait
	// for the rows that it holds itself.
	backfillLockTimeout = "250ms"
	// backfillIdleTimeout is when the database ends a step whose process stands still, as after Ctrl-Z: others want the rows.
	backfillIdleTimeout = "5s"
	// backfillAbandoned is when a walk that was interrupted is no longer continued: what it did first is too long ago.
	backfillAbandoned = 24 * time.Hour
	// What the database answers when these have passed.
	lockNotAvailable = "55P03"
	idleTimeout      = "25P03"
)

// BackfillKind is what a Backfill does with each organization.
type BackfillKind string

// The kinds of backfills.
const (
	// BackfillRecalculate calculates its score, and has it pushed if its claims differ.
	BackfillRecalculate = BackfillKind(dbsqlc.BackfillKindRecalculate)
	// BackfillResync has it pushed again, even if Clerk is in step.
	BackfillResync = BackfillKind(dbsqlc.BackfillKindResync)
)

// BackfillConfig configures a Backfill.
type BackfillConfig struct {
	// Pool is the database. Required.
	Pool *pgxpool.Pool

	// Store does the work. Required.
	Store *Store

	// Kind says which. Required.
	Kind BackfillKind

	// Restart begins anew also if the last walk of the kind has not ended, and ends those that are still at it. Otherwise
	// that walk is continued, unless nobody has been at it for a day.
	Restart bool

	// Logger gets the organizations that it fails for. Defaults to none.
	Logger *slog.Logger

	// Observe is told how far the walk has come: before its first step here, and after each. Defaults to none.
	Observe func(BackfillProgress)
}

// BackfillProgress is how far a walk has come, by all processes together since it was begun.
type BackfillProgress struct {
	StartedAt time.Time
	Total     int64 // how many organizations there were then
	Done      int64 // how many it has come past: in the end about Total
	Changed   int64 // of these, how many have a new score, or were marked
	Failed    int64 // of these, for how many it failed
	Finished  bool
}

// ErrBackfillRestarted: somebody began anew a walk that had not ended. That one goes on, this one does not.
var ErrBackfillRestarted = errors.New("it was begun anew by somebody else")

// Backfill walks over all organizations in the order of their ids, at the lowest urgency. It keeps its cursor in the
// database and moves it in the transactions that do the work, so each organization is done exactly once however often
// the walk is interrupted, and by whatever. There is one walk of each kind at a time: whoever starts another continues it,
// and processes that do so at the same time take turns. One that is added meanwhile may be left out: it is new, so it has
// been calculated and marked anyway.
type Backfill struct {
	config  BackfillConfig
	queries *dbsqlc.Queries
}

// NewBackfill returns a Backfill. It starts nothing.
func NewBackfill(config BackfillConfig) *Backfill {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Observe == nil {
		config.Observe = func(BackfillProgress) {}
	}
	return &Backfill{config: config, queries: dbsqlc.New()}
}

// Run walks to the end, or until ctx is done; the step that is under way then is finished. It returns how far the walk
// has come. Another Run, here or in another process, goes on from there.
func (b *Backfill) Run(ctx context.Context) (BackfillProgress, error) {
	walk, err := b.begin(ctx)
	if err != nil {
		return BackfillProgress{}, fmt.Errorf("beginning the backfill: %w", err)
	}
	b.config.Observe(walk)
	size := int32(backfillBatch)
	for !walk.Finished {
		stepped, err := b.step(ctx, walk, size)
		switch {
		case err != nil && ctx.Err() != nil:
			return walk, ctx.Err()
		case db.Code(err) == lockNotAvailable:
			// Somebody holds one of the rows for long. Smaller steps come closer to it, until only that one is waited for.
			size = max(1, size/2)
		case db.Code(err) == idleTimeout: // this process stood still
		case err != nil:
			return walk, err
		default:
			size = min(backfillBatch, 2*size)
			walk = stepped
			b.config.Observe(walk)
		}
	}
	return walk, nil
}

// begin begins the walk, or finds the one to continue.
func (b *Backfill) begin(ctx context.Context) (BackfillProgress, error) {
	kind := dbsqlc.BackfillKind(b.config.Kind)
	for {
		row, err := b.queries.BackfillBegin(ctx, b.config.Pool, dbsqlc.BackfillBeginParams{
			Kind: kind, Restart: b.config.Restart, Abandoned: backfillAbandoned,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			row, err = b.queries.BackfillGet(ctx, b.config.Pool, kind)
		}
		if err != nil || row.FinishedAt == nil { // it may have ended in between
			return backfillProgressOf(row), err
		}
	}
}

// step does the next so many organizations. Only while it waits for others who walk can it be interrupted.
func (b *Backfill) step(ctx context.Context, walk BackfillProgress, size int32) (progress BackfillProgress, err error) {
	if err := ctx.Err(); err != nil {
		return BackfillProgress{}, err
	}
	whole := context.WithoutCancel(ctx)
	err = db.Transact(whole, b.config.Pool, func(tx pgx.Tx) error {
		row, err := b.queries.BackfillLock(ctx, tx, dbsqlc.BackfillKind(b.config.Kind))
		switch {
		case err != nil:
			return fmt.Errorf("looking where the backfill is: %w", err)
		case row.Replaced != nil && row.Replaced.Equal(walk.StartedAt):
			return ErrBackfillRestarted
		case !row.StartedAt.Equal(walk.StartedAt): // others have ended it, and somebody has begun another one since
			progress = walk
			progress.Finished = true
			return nil
		case row.FinishedAt == nil:
			row, err = b.advance(whole, tx, row, size)
		}
		progress = backfillProgressOf(row)
		return err
	})
	return progress, err
}

// advance does the work of a step, with the walk's row locked.
func (b *Backfill) advance(ctx context.Context, tx pgx.Tx, row dbsqlc.Backfill, size int32) (dbsqlc.Backfill, error) {
	const limits = "SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)"
	if _, err := tx.Exec(ctx, limits, backfillLockTimeout, backfillIdleTimeout); err != nil {
		return row, err
	}
	page := dbsqlc.OrganizationListAfterParams{AfterID: row.AfterID, MaxRows: size}
	ids, err := b.queries.OrganizationListAfter(ctx, tx, page)
	if err != nil {
		return row, fmt.Errorf("listing organizations after %q: %w", row.AfterID, err)
	}
	if len(ids) == 0 {
		return b.queries.BackfillFinish(ctx, tx, row.Kind)
	}
	changed, failed, err := b.work(ctx, tx, ids)
	if err != nil {
		return row, err
	}
	return b.queries.BackfillAdvance(ctx, tx, dbsqlc.BackfillAdvanceParams{
		Kind: row.Kind, AfterID: ids[len(ids)-1], Done: int64(len(ids)), Changed: int64(changed), Failed: int64(failed),
	})
}

// work does the organizations, and if that fails each of them alone, so that one that cannot be done does not keep the
// others.
func (b *Backfill) work(ctx context.Context, tx pgx.Tx, ids []string) (changed, failed int, err error) {
	changed, err = b.attempt(ctx, tx, ids)
	if err == nil || passes(err) {
		return changed, 0, err
	}
	failures := make(map[string]error)
	for _, id := range ids {
		n, alone := b.attempt(ctx, tx, []string{id})
		switch {
		case passes(alone):
			return 0, 0, alone
		case alone != nil:
			failures[id] = alone
		}
		changed += n
	}
	if len(failures) > 1 && len(failures) == len(ids) {
		return 0, 0, err // what meets every one of them is no fault of theirs
	}
	for id, err := range failures {
		b.config.Logger.ErrorContext(ctx, "Organization is left out of the backfill", "organization_id", id,
			"backfill", b.config.Kind, "err", err)
	}
	return changed, len(failures), nil
}

// attempt does the organizations, and leaves the transaction as it was if that fails.
func (b *Backfill) attempt(ctx context.Context, tx pgx.Tx, ids []string) (changed int, err error) {
	err = pgx.BeginFunc(ctx, tx, func(savepoint pgx.Tx) (err error) {
		if b.config.Kind == BackfillResync {
			changed, err = b.config.Store.MarkManyTx(ctx, savepoint, UrgencyBackfill, ids...)
			return err
		}
		_, changed, err = b.config.Store.RecalculateManyTx(ctx, savepoint, UrgencyBackfill, ids, time.Time{})
		return err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// passes reports whether the step failed because of others that ran beside it, and so would not another time.
func passes(err error) bool { return db.IsConflict(err) || db.Code(err) == lockNotAvailable }

func backfillProgressOf(row dbsqlc.Backfill) BackfillProgress {
	return BackfillProgress{
		StartedAt: row.StartedAt, Total: row.Total, Done: row.Done, Changed: row.Changed, Failed: row.Failed,
		Finished: row.FinishedAt != nil,
	}
}
