package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// resyncBatch is how many organizations that were named one transaction marks.
const resyncBatch = 200

type resyncCommand struct {
	databaseFlags
	restartFlag
	All  bool     `help:"Push every organization again."`
	Wait bool     `help:"Wait until they have been pushed."`
	JSON bool     `name:"json" help:"Print the outcome as JSON."`
	IDs  []string `arg:"" optional:"" name:"id" help:"Organizations to push again, by our id or Clerk's (org_…)."`
}

func (*resyncCommand) Help() string {
	return `Pushes to Clerk again what it may have already: after somebody has edited public metadata there, say, or it was
restored from a backup. This only marks the organizations, in the database; whichever "app serve" runs on it pushes
them. Those that are not linked to Clerk are skipped.

With --all they are pushed at the lowest priority: a change that is made meanwhile goes first. At Clerk's limit of 1000
requests per 10 s and our share of 90 %, 5000 take about a minute. It can be interrupted: the next start within a day goes
on where it was, and two that run at the same time share the work. Once all are marked, another start marks them anew.

With --wait it ends when all that was marked has been pushed; if some are parked instead, the exit code is 1. When that
is interrupted, the pushes go on all the same. "app status" tells what is left, and what keeps Clerk from being called.

  app resync 8a2e…              # one organization, now
  app resync --all --wait`
}

func (c *resyncCommand) Run(ctx context.Context, a *app) error {
	if c.All == (len(c.IDs) > 0) {
		return usage("say which organizations: their ids, or --all")
	}
	if err := c.check(c.All); err != nil {
		return err
	}
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	work := resync{tool: t, app: a, outcome: resyncOutcome{Unknown: []string{}}}
	err = t.operateOn(ctx, c.IDs, claimsync.ActionPush, claimsync.ActionPushAll, func(ctx context.Context) (string, error) {
		var err error
		if c.All {
			err = work.all(ctx, c.Restart)
		} else {
			err = work.these(ctx, c.IDs)
		}
		return fmt.Sprintf("%d marked", work.outcome.Marked), err
	})
	if err != nil {
		return fmt.Errorf("resyncing: %w", err)
	}
	if c.Wait {
		if err := work.wait(ctx); err != nil {
			return fmt.Errorf("waiting for the pushes: %w (they go on all the same)", interruption(ctx, err))
		}
	}
	return work.report(c.JSON)
}

type resync struct {
	tool    *tool
	app     *app
	keys    []string  // of those that were named
	since   time.Time // when the marking began, by the database's clock
	outcome resyncOutcome
}

// resyncOutcome is what became of the organizations, for programs.
type resyncOutcome struct {
	Marked  int64    `json:"marked"`
	Skipped int64    `json:"skipped"` // not linked to Clerk
	Unknown []string `json:"unknown"` // ids that nothing has
	Failed  int64    `json:"failed"`  // could not be marked
	Pushed  *int64   `json:"pushed,omitempty"`
	Parked  *int64   `json:"parked,omitempty"` // with Pushed, only if it was waited for
}

// all marks all organizations that are linked, behind everything else.
func (r *resync) all(ctx context.Context, restart bool) error {
	done, err := r.tool.backfill(ctx, r.app, scoring.BackfillResync, restart, "Marking")
	r.since = done.StartedAt
	r.outcome.Marked, r.outcome.Failed = done.Changed, done.Failed
	r.outcome.Skipped = done.Done - done.Changed - done.Failed
	return err
}

// these marks the organizations that were named, as changes that are made now. It marks the Clerk organizations and not
// ours: whatever is linked to one when it is pushed is what is pushed.
func (r *resync) these(ctx context.Context, ids []string) error {
	named, err := r.tool.resolve(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range named.unlinked {
		_, _ = fmt.Fprintf(r.app.stderr, "app: %s: skipped, it is not linked to Clerk\n", id)
	}
	r.outcome.Skipped = int64(len(named.unlinked))
	r.outcome.Unknown = append(r.outcome.Unknown, named.unknown...)
	r.keys = named.keys()
	if r.since, err = r.tool.sync.Outbox().Clock(ctx, r.tool.pool); err != nil {
		return err
	}
	for batch := range slices.Chunk(r.keys, resyncBatch) {
		err := db.Transact(ctx, r.tool.pool, func(tx pgx.Tx) error {
			return r.tool.sync.Outbox().MarkTx(ctx, tx, r.tool.waker, claimsync.Topic, outbox.PriorityLive, batch...)
		})
		if err != nil {
			return fmt.Errorf("%w (%d organizations are marked)", err, r.outcome.Marked)
		}
		r.outcome.Marked += int64(len(batch))
	}
	return nil
}

// report says what was done, and names the ids that are unknown.
func (r *resync) report(asJSON bool) error {
	o := &r.outcome
	var err error
	switch {
	case asJSON:
		err = json.NewEncoder(r.app.stdout).Encode(o)
	case o.Pushed != nil:
		const format = "%d marked, %d skipped, %d pushed, %d parked\n"
		_, err = fmt.Fprintf(r.app.stdout, format, o.Marked, o.Skipped, *o.Pushed, *o.Parked)
	default:
		_, err = fmt.Fprintf(r.app.stdout, "%d marked, %d skipped\n", o.Marked, o.Skipped)
	}
	if err != nil {
		return err
	}
	for _, id := range o.Unknown {
		_, _ = fmt.Fprintf(r.app.stderr, "app: %s: %v\n", id, scoring.ErrNotFound)
	}
	if o.Failed > 0 {
		_, _ = fmt.Fprintf(r.app.stderr, "app: %d organizations could not be marked, see above\n", o.Failed)
	}
	if len(o.Unknown) > 0 || o.Failed > 0 || o.Parked != nil && *o.Parked > 0 {
		return errReported
	}
	return nil
}
