package claimsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/recurring"
	"github.com/claimsync/claimsync/outbox"
)

// DefaultDriftEvery is how often the fleet checks for drift.
const DefaultDriftEvery = 24 * time.Hour

// Never, as Config.DriftEvery, is not at all.
const Never = -1

const (
	// driftFirst is how long after the very first start the first check is: what was imported has been pushed by then.
	driftFirst = 10 * time.Minute
	// driftRetry is how long after one that failed the next one is.
	driftRetry = 10 * time.Minute
	// driftLook is how often a process looks whether it is time, at most.
	driftLook = 4 * time.Second
)

// DriftEvery returns how often the fleet checks for drift; below 0: never.
func (s *Sync) DriftEvery() time.Duration { return s.drift.every }

// driftSchedule says when the fleet checks, and what for.
type driftSchedule struct {
	every  time.Duration // below 0: never
	turn   time.Duration
	repair bool
}

// How a periodic check ends.
const (
	DriftClean  = "clean"
	DriftFound  = "drift"
	DriftFailed = "failed"
)

// DriftObserver is told of the periodic checks.
type DriftObserver interface {
	// DriftChecked is called after each check that this process made, with DriftClean, DriftFound or DriftFailed.
	DriftChecked(result string)
}

// checkDriftRegularly checks for drift when it is time, or a person asked for it, in turn with the other processes, until
// ctx is done.
func (s *Sync) checkDriftRegularly(ctx context.Context, waker outbox.Waker) {
	if s.clerk == nil {
		return
	}
	look := driftLook
	if s.drift.every >= 0 {
		look = min(look, s.drift.every/4+1)
	}
	recurring.Run(ctx, s.logger, "Looking whether to check for drift", look, func(ctx context.Context) error {
		return s.checkDriftInTurn(ctx, waker)
	})
}

// RequestDriftCheck has some process check for drift within seconds, and repair what it finds if asked to. Returns false if
// a check has been asked for already, or is under way. LastDriftCheck tells how it went.
func (s *Sync) RequestDriftCheck(ctx context.Context, repair bool) (bool, error) {
	requested, err := dbsqlc.New().DriftRequest(ctx, s.jobs.Pool, dbsqlc.DriftRequestParams{Topic: Topic, Repair: repair})
	if err != nil {
		return false, fmt.Errorf("asking for a drift check: %w", err)
	}
	return requested == 1, nil
}

// checkDriftInTurn checks for drift, if it is time or asked for, and no other process does.
func (s *Sync) checkDriftInTurn(ctx context.Context, waker outbox.Waker) error {
	turn, err := s.beginTurn(ctx)
	if turn == nil || err != nil {
		return err
	}
	var report *DriftReport
	failure := turn.during(ctx, func(ctx context.Context) (err error) {
		report, err = s.CheckDrift(ctx, waker, DriftOptions{Repair: turn.repair})
		return err
	})
	if errors.Is(failure, errTurnLost) {
		s.logger.WarnContext(ctx, "Drift check given up: another process is at it")
		return nil
	}
	if ctx.Err() == nil {
		s.driftChecked(ctx, report, failure)
	}
	return turn.end(ctx, failure)
}

// driftChecked says what became of a periodic check.
func (s *Sync) driftChecked(ctx context.Context, report *DriftReport, failure error) {
	result := DriftClean
	switch {
	case failure != nil:
		result = DriftFailed
		attrs := []any{"err", failure}
		if s.drift.every >= 0 {
			attrs = append(attrs, "again_in", min(driftRetry, s.drift.every))
		}
		s.logger.ErrorContext(ctx, "Drift check failed", attrs...)
	case report.Drifted > 0:
		result = DriftFound
		level := slog.LevelWarn
		if report.Drifted == report.Kinds[DriftUnknown] { // others may use the instance too
			level = slog.LevelInfo
		}
		s.logger.Log(ctx, level, "Drift found", "drifted", report.Drifted, "kinds", report.Kinds,
			"repaired", report.Repaired, "contested", report.Contested)
	default:
		s.logger.InfoContext(ctx, "No drift", "compared", report.Compared, "pending", report.Pending)
	}
	if s.observer != nil {
		s.observer.DriftChecked(result)
	}
}
