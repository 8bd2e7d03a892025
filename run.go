package claimsync

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

// Run does what keeps Clerk in step beside River, until ctx is done and what is under way has ended: it wakes what nothing
// would deliver, probes while the breaker is open, calculates the scores that time has changed, checks for drift, renews claims
// if told to, deletes what is old, and says that this process is alive. Every process that delivers needs one: they share
// the work. It goes on through failures of the database.
func (s *Sync) Run(ctx context.Context, waker jobs.Waker) {
	recalculator := scoring.RecalculatorConfig{Pool: s.jobs.Pool, Store: s.Store(waker), Logger: s.logger}
	if s.observer != nil {
		recalculator.Observer = s.observer
	}
	var running sync.WaitGroup
	running.Go(func() { jobs.NewMaintainer(s.jobs, waker).Run(ctx) })
	running.Go(func() { scoring.NewRecalculator(recalculator).Run(ctx) })
	running.Go(func() { s.checkDriftRegularly(ctx, waker) })
	running.Go(func() { s.renewRegularly(ctx, waker) })
	id := uuid.New()
	running.Go(func() { s.reportProcess(ctx, id) })
	running.Go(func() { s.countActivity(ctx, id) })
	running.Go(func() { s.keepHouse(ctx) })
	running.Wait()
}
