package main

import (
	"context"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
)

// remainingEvery is how often is looked how many pushes remain: it costs a walk over the backlog.
const remainingEvery = 500 * time.Millisecond

// wait returns when nothing is left of what was marked.
func (r *resync) wait(ctx context.Context) error {
	box, pool := r.tool.sync.Outbox(), r.tool.pool
	markedBy, err := box.Clock(ctx, pool)
	if err != nil || r.outcome.Marked == 0 {
		r.outcome.Pushed, r.outcome.Parked = new(int64), new(int64)
		return err
	}
	progress := newProgress(r.app.stderr, r.outcome.Marked, "Pushing", progressbar.OptionShowIts())
	defer func() { _ = progress.Exit() }()
	ticker := time.NewTicker(remainingEvery)
	defer ticker.Stop()
	for {
		left, err := box.Remaining(ctx, pool, claimsync.Topic, r.since, markedBy, r.keys...)
		if err != nil {
			return err
		}
		_ = progress.Set64(r.pushed(left))
		if left.Dirty == 0 {
			r.outcome.Pushed, r.outcome.Parked = new(r.pushed(left)), &left.Parked
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// pushed is how many were, which is not less than none: what others marked before remains too.
func (r *resync) pushed(left outbox.Remaining) int64 {
	return max(0, r.outcome.Marked-left.Dirty-left.Parked)
}
